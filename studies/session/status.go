package session

import (
	"emolab/calibration/gaze"
	"emolab/fusion/eyemovement"
	"emolab/studies/alarm"
	"emolab/studies/study"
)

// Status is the whole state of the lab, for a console.
type Status struct {
	State       State      `json:"state"` // Prepared or Recording; "" when no session runs
	Busy        string     `json:"busy"`  // "sealing: aligning eda" while a session is being closed; "" otherwise
	SessionID   string     `json:"session_id"`
	Participant string     `json:"participant"`
	Segment     int        `json:"segment"`
	Plan        study.Plan `json:"plan"`
	Ready       bool       `json:"ready"`  // the participant waits for the recording to begin
	Paused      bool       `json:"paused"` // by the participant
	// Over says that nothing is recorded any more: the participant is on the last pages,
	// or the session is being closed.
	Over bool `json:"recording_over"`
	// Stopped says that the operator has stopped the session, and the participant is being
	// led through the last pages: another Stop closes them.
	Stopped bool `json:"stopped"`
	// Live says that samples are being recorded. Until then, and after it, nothing of
	// what the devices measure is in a Status: only whether they work.
	Live      bool     `json:"live"`
	Step      int      `json:"step"`       // index in Plan.Steps; -1 before the first
	ElapsedMs float64  `json:"elapsed_ms"` // since the segment's start, until the recording was over
	Streams   []Health `json:"streams"`
	Alarms    []Alarm  `json:"alarms"`
	Stage     bool     `json:"stage_connected"`
	Waiting   string   `json:"stage_waiting"` // what the participant's screen waits for: "a key"; "" for nothing
	DiskFree  int64    `json:"disk_free_bytes"`
	Backlog   int      `json:"recorder_backlog"` // chunks that wait to be written
	Video     bool     `json:"face_video"`       // the video of the face is being kept, with the participant's consent
	DiskHours float64  `json:"disk_hours"`       // of recording, as RecordingHours counts them for the study
	// Check is the calibration, validation or breath that runs, or the latest of the
	// session; nil when there was none. Asked says that it waits for Decide.
	Check *Check `json:"check"`
	Asked bool   `json:"asked"`
	// Corrected says that a calibration of ours is in force: the trace and the results
	// are corrected by it, the tracker's own stream stays as it is delivered.
	Corrected bool `json:"gaze_corrected"`
	// Drift is what the fixation crosses since the calibration say so far; nil before the
	// first.
	Drift         *gaze.Drift         `json:"drift"`
	Eyes          *Eyes               `json:"eyes"`   // null without an eye tracker, and unless Live
	Screen        *eyemovement.Screen `json:"screen"` // the participant's; nil when no session runs
	ScreenAssumed bool                `json:"screen_assumed"`
	Recovered     []Summary           `json:"recovered"` // sessions waiting to be continued or sealed
	LastOutcome   *Outcome            `json:"last_outcome"`
	StudyID       string              `json:"study_id"`
	StudyTitle    string              `json:"study_title"`

	// Readiness is what was checked for the gate that comes next, and what will be for
	// the one after it.
	Readiness []Readiness `json:"readiness"`
	// Confirmed says who has confirmed the participant's code.
	Confirmed Confirmed `json:"confirmed"`
	// Usable says for how much of each presentation the participant was measured so far;
	// null unless Live or Over.
	Usable []UsableNow `json:"usable"`
	// Marks are the latest of the recording, the last one last.
	Marks []Mark `json:"marks"`
	// Blind says that brands and what is measured of emotion are hidden from whoever
	// operates; BlindByStudy, that the study asks for it.
	Blind        bool `json:"blind"`
	BlindByStudy bool `json:"blind_by_study"`
}

// Confirmed says who has confirmed the participant's code.
type Confirmed struct {
	Participant bool `json:"participant"` // on their screen
	Operator    bool `json:"operator"`    // by its last two characters
}

// Status returns the whole state of the lab, and brings the alarms up to date.
func (m *Manager) Status() Status {
	m.looking.Lock()
	defer m.looking.Unlock()
	since := m.RecordingSince() // before anything measured is read, and again after it
	s := Status{
		Step: -1, Readiness: []Readiness{}, Streams: m.o.Lab.Health(), Stage: m.o.Stage.Connected(), Waiting: m.o.Stage.Waiting(),
		StudyID: m.o.Study.ID, StudyTitle: m.o.Study.Title,
	}
	// A file system that cannot be asked counts as full: better an alarm too
	// many than a lost session.
	s.DiskFree, _ = m.o.DiskFree(m.o.Dir)
	s.DiskHours = RecordingHours(s.DiskFree, asksForVideo(m.o.Study))
	s.Eyes = m.o.Lab.Eyes()

	m.mu.Lock()
	defer m.mu.Unlock()
	if cur := m.current; cur != nil {
		s.State, s.Busy, s.SessionID = cur.state, cur.busy, cur.id
		if cur.halted && cur.busy == "" {
			s.Busy = "stopping"
		}
		s.Ready, s.Paused, s.Over, s.Stopped = cur.gate != nil, cur.paused, cur.over != 0, cur.ended != nil
		s.Participant, s.Segment, s.Plan, s.Step = cur.participant, cur.segment.Number, cur.plan, cur.step
		if cur.segment.Start != 0 { // of a recovered session that is sealed as it is, it is
			until := cur.over
			if until == 0 {
				until = m.o.Clock.Now()
			}
			s.ElapsedMs = inMs(max(until.Sub(cur.segment.Start), 0))
		}
	}
	s.Recovered, s.LastOutcome = m.waiting, m.outcome
	s.Blind, s.BlindByStudy, s.Marks = m.Blinded(), m.o.Study.Blind, []Mark{}
	now := m.o.Clock.Now()
	var wrong []alarm.Condition
	if cur := m.current; cur != nil {
		s.Corrected, s.Confirmed = cur.corrected, cur.confirmed
		if cur.state == Recording {
			s.Usable = m.usable(cur)
		}
		s.Check, s.Drift, s.ScreenAssumed = cur.check, cur.drift, cur.segment.ScreenAssumed
		screen := cur.segment.Screen // its own: the Begin step gives the run another segment
		s.Screen = &screen
		if s.Asked = cur.asked != nil; s.Asked {
			wrong = append(wrong, cur.check.refused())
		}
		if cur.denied {
			wrong = append(wrong, notTheirs())
		}
		if cur.stuck != "" {
			wrong = append(wrong, notShown(cur.stuck))
		}
		wrong = append(wrong, m.showFilm(cur, &s)...)
		if slept := m.o.Lab.slept(cur.segment.Start); cur.segment.Start != 0 && slept > 0 {
			wrong = append(wrong, overslept(slept))
		}
		if cur.desk != nil {
			s.Backlog = cur.desk.waiting()
		}
		s.Marks = cur.latest(now)
	}
	found := situation{
		streams: s.Streams, diskFree: s.DiskFree, diskHours: s.DiskHours, waiting: s.Waiting, behind: s.Backlog, live: since != 0,
		recording: m.current != nil && m.current.state == Recording && m.current.over == 0,
		idle:      m.current == nil || m.current.over != 0 || s.Busy != "",
	}
	m.changed(now, m.board.Update(now, append(wrong, found.conditions()...)))
	s.Alarms = m.board.Alarms(now)
	if s.Live = since != 0 && since == m.RecordingSince(); !s.Live {
		s.withhold()
		m.look(&s)
	}
	return s
}
