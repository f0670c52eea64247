package stage

import (
	"embed"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
)

//go:embed web
var files embed.FS

const stimuliPath = "/stage/stimuli/"

// policy lets the page load its own scripts and styles, play the clips that it
// has fetched, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; media-src blob:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the page (/stage), its files, its words (/stage/words/{language}.json),
// the clips (/stage/stimuli/{id}) and the socket (/ws/stage). It leaves to the caller who may come in.
func (s *Server) Handler() http.Handler {
	web, err := fs.Sub(files, "web")
	if err != nil {
		panic(err) // "web" is a valid path
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stage", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, web, "stage.html")
	})
	mux.Handle("GET /stage/{$}", http.RedirectHandler("/stage", http.StatusPermanentRedirect))
	mux.Handle("GET /stage/", http.StripPrefix("/stage/", http.FileServerFS(web)))
	mux.HandleFunc("GET "+stimuliPath+"{id}", s.serveStimulus)
	mux.HandleFunc("GET "+wordsPath+"{file}", s.serveWords)
	mux.HandleFunc("GET /ws/stage", s.serveSocket)
	return headers(mux)
}

// headers isolates the page: with COOP and COEP the browser gives it a clock of
// 5 µs, without them one of 100 µs.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Embedder-Policy", "require-corp")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	})
}

// serveStimulus serves one clip of the study now loaded, in ranges if asked to.
func (s *Server) serveStimulus(w http.ResponseWriter, r *http.Request) {
	st, m, ok := s.stimulus(r.PathValue("id"))
	if !ok {
		http.Error(w, "no such clip in the study now loaded", http.StatusNotFound)
		return
	}
	f, err := os.Open(filepath.Join(st.Dir, filepath.FromSlash(m.File)))
	if err != nil {
		status := http.StatusInternalServerError
		if errors.Is(err, fs.ErrNotExist) {
			status = http.StatusGone
		}
		http.Error(w, "the clip's file cannot be opened: it was moved since the study was loaded", status)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		http.Error(w, "the clip's file cannot be read", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "video/mp4")
	w.Header().Set("ETag", `"`+m.SHA256+`"`)
	http.ServeContent(w, r, "", info.ModTime(), f)
}
