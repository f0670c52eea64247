package stage

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"emolab/studies/study"
	"emolab/studies/wording"
)

const wordsPath = "/stage/words/"

// languages are those in which a study's pages can be read, the first for whoever
// chooses none. A study that has no words of its own has those that are built in.
func languages(st *study.Study) []string {
	if st == nil || len(st.Languages) == 0 {
		return wording.Languages()
	}
	return st.Languages
}

// words are all words of a language; false for one that neither the study nor this
// program speaks.
func words(st *study.Study, language string) (wording.Catalogue, bool) {
	if _, builtin := wording.Builtin(language); !builtin && !slices.Contains(languages(st), language) {
		return nil, false
	}
	if st == nil {
		st = &study.Study{}
	}
	return st.Catalogue(language), true
}

// serveWords serves the words of one language as JSON.
func (s *Server) serveWords(w http.ResponseWriter, r *http.Request) {
	language, isJSON := strings.CutSuffix(r.PathValue("file"), ".json")
	s.mu.Lock()
	st := s.study
	s.mu.Unlock()
	all, ok := words(st, language)
	if !isJSON || !ok {
		http.Error(w, "no words in this language: the study has "+strings.Join(languages(st), ", "), http.StatusNotFound)
		return
	}
	text, err := json.Marshal(all)
	if err != nil {
		http.Error(w, "the words cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(text) // whoever asked has gone
}
