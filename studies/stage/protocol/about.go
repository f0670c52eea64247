package protocol

// About is the run of the plan that a message is about; 0 = none.
func About(m Message) int {
	switch m := m.(type) {
	case *Ready:
		return m.Run
	case *Waiting:
		return m.Run
	case *StepBegan:
		return m.Run
	case *StepEnded:
		return m.Run
	case *Shown:
		return m.Run
	case *Reply:
		return m.Run
	case *Answer:
		return m.Run
	case *Paused:
		return m.Run
	case *Resumed:
		return m.Run
	case *Leave:
		return m.Run
	case *Frames:
		return m.Run
	case *Blank:
		return m.Run
	case *Unknown:
		return m.Run
	case *Remark:
		return m.Run
	case *Stopped:
		return m.Run
	case *Fault:
		return m.Run
	case *Plan:
		return m.Run
	case *Begin:
		return m.Run
	case *Stop:
		return m.Run
	case *Target:
		return m.Run
	case *Cue:
		return m.Run
	case *Ask:
		return m.Run
	case *Finish:
		return m.Run
	case *Go:
		return m.Run
	case *Again:
		return m.Run
	case *Left:
		return m.Run
	case *Conduct:
		return m.Run
	case *Receipt:
		return m.Run
	case *Over:
		return m.Run
	}
	return 0
}
