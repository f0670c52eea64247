package study

import (
	"slices"
	"strconv"
)

const (
	// maxPrimary bounds what a study may want to find out first: each more costs power.
	maxPrimary = 5
	// mostPeople bounds quotas and group sizes.
	mostPeople = 100_000
	// slowestSync bounds the error of time that can be asked for.
	slowestSync = 10_000. // ms
)

// Indicators are those that can be named as primary.
func Indicators() []string {
	return []string{"ATT", "CAP", "RET", "REACH", "NET", "PEAK", "END", "ARO", "SYNC", "FOCUS", "BRAND", "SAY", "AGREE"}
}

func defaultAnalysis() Analysis {
	return Analysis{Compare: "brand", FDR: .05, Show: 10, CompareN: 20, Rank: 30}
}

// defaultRules are thresholds of common practice: a stimulus counts with seven tenths of
// its time, and a face with a confidence of 0.8. The error of time is one that a camera of
// 30 frames a second can state whose latency nobody has measured (34 ms), and some more.
func defaultRules() Rules {
	return Rules{UsableShare: .7, FaceConf: .8, Reshow: .5, MaxSyncMs: 50}
}

func (d *document) readThresholds(n node) error {
	share := func(dst *float64) func(node) error {
		return func(n node) (err error) {
			*dst, err = n.decimal(0, 1, "")
			return err
		}
	}
	r := &d.rules
	return n.mapping(
		field{"usable_seconds", share(&r.UsableShare)},
		field{"face_conf", share(&r.FaceConf)},
		field{"reshow_if_below", share(&r.Reshow)},
		field{"max_sync_error_ms", func(n node) (err error) {
			r.MaxSyncMs, err = n.decimal(0, slowestSync, " of milliseconds")
			return err
		}},
		field{"max_unusable", func(n node) (err error) {
			r.MaxUnusable, err = n.count(0, maxStimuli)
			return err
		}},
		field{"max_gaze_error_deg", func(n node) (err error) {
			r.MaxGazeErrDeg, err = n.decimal(0, largestLimit, " of degrees")
			return err
		}},
	)
}

func (r Rules) canonical() string {
	return flowMap("usable_seconds", number(r.UsableShare), "face_conf", number(r.FaceConf),
		"reshow_if_below", number(r.Reshow), "max_sync_error_ms", number(r.MaxSyncMs),
		"max_unusable", strconv.Itoa(r.MaxUnusable), "max_gaze_error_deg", number(r.MaxGazeErrDeg))
}

func (d *document) readQuota(n node) error {
	q := &d.quota
	return n.mapping(
		field{"total_usable", func(n node) (err error) {
			q.Total, err = n.count(0, mostPeople)
			return err
		}},
		field{"cells", func(n node) error {
			return n.entries(func(question string, at, value node) error {
				return value.entries(func(band string, at, value node) error {
					usable, err := value.count(0, mostPeople)
					if len(q.Cells) >= maxQuestions*maxOptions {
						err = at.fail("is more than cell number %d", len(q.Cells))
					}
					q.Cells = append(q.Cells, Cell{question, band, usable})
					return err
				})
			})
		}},
	)
}

func (q Quota) canonical() string {
	if q.Total == 0 && q.Cells == nil {
		return ""
	}
	var questions []string
	for i := 0; i < len(q.Cells); {
		var cells []string
		first := q.Cells[i].Question
		for ; i < len(q.Cells) && q.Cells[i].Question == first; i++ {
			cells = append(cells, quote(q.Cells[i].Band), strconv.Itoa(q.Cells[i].Usable))
		}
		questions = append(questions, quote(first), flowMap(cells...))
	}
	pairs := []string{"total_usable", strconv.Itoa(q.Total)}
	if questions != nil {
		pairs = append(pairs, "cells", flowMap(questions...))
	}
	return flowMap(pairs...)
}

func (d *document) readAnalysis(n node) error {
	a := &d.analysis
	people := func(dst *int) func(node) error {
		return func(n node) (err error) {
			*dst, err = n.count(0, mostPeople)
			return err
		}
	}
	return n.mapping(
		field{"primary", func(n node) error {
			items, err := n.list()
			if err != nil {
				return err
			}
			if len(items) > maxPrimary {
				return n.fail("names %d indicators; at most %d can be primary: with every further one, a difference that is there is found less often", len(items), maxPrimary)
			}
			for _, item := range items {
				code, err := item.oneOf(Indicators()...)
				if err == nil && slices.Contains(a.Primary, code) {
					err = item.fail("%s comes twice", code)
				}
				if err != nil {
					return err
				}
				a.Primary = append(a.Primary, code)
			}
			return nil
		}},
		field{"compare", func(n node) (err error) {
			a.Compare, err = n.oneOf("brand", "tag", "stimulus")
			return err
		}},
		field{"fdr", func(n node) (err error) {
			a.FDR, err = n.decimal(.0001, .5, "")
			return err
		}},
		field{"min_n", func(n node) error {
			return n.mapping(
				field{"show", people(&a.Show)},
				field{"compare", people(&a.CompareN)},
				field{"rank", people(&a.Rank)},
			)
		}},
	)
}

func (a Analysis) canonical() string {
	return flowMap("primary", flowList(a.Primary), "compare", a.Compare, "fdr", number(a.FDR),
		"min_n", flowMap("show", strconv.Itoa(a.Show), "compare", strconv.Itoa(a.CompareN), "rank", strconv.Itoa(a.Rank)))
}
