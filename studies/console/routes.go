package console

import (
	"net/http"

	"emolab/studies/access"
)

// route is one thing that the server answers.
type route struct {
	pattern string // as of http.ServeMux: "POST /api/session/stop"
	may     access.Permission
	pen     bool // only the console that holds the pen may do it
	handle  http.HandlerFunc
}

// anybody is the permission of what is the same for every role: the pages' files.
const anybody access.Permission = ""

// routes is everything that the console answers, and who may ask for it. What is neither
// here nor among cameraRoutes is not answered; openapi.yaml describes each /api route.
func (c *Console) routes() []route {
	const read, pen = false, true
	return append(c.replayRoutes(), []route{
		{"GET /{$}", access.Watch, read, c.page},
		{"GET /console/", anybody, read, c.assets()},
		{"GET /ws/console", access.Watch, read, c.watch},

		{"POST /api/picture", access.Watch, read, c.watchPicture},
		{"GET /metrics", access.Watch, read, c.metrics},

		{"GET /api/status", access.Watch, read, c.status},
		{"GET /api/cohort", access.Watch, read, c.cohort},
		{"POST /api/pen", access.Operate, read, c.takePen},

		{"POST /api/session/start", access.Operate, pen, c.start},
		{"POST /api/session/begin", access.Operate, pen, c.begin},
		{"POST /api/session/stop", access.Operate, pen, c.stop},
		{"POST /api/session/calibration", access.Operate, pen, c.decide},
		{"POST /api/session/continue", access.Operate, pen, c.resume},
		{"POST /api/session/seal", access.Operate, pen, c.seal},
		{"POST /api/session/again", access.Operate, pen, c.again},
		{"POST /api/session/mark", access.Operate, read, c.mark}, // whoever watches may see something
		{blindRoute, access.Operate, pen, c.blind},
		{"POST /api/alarm/acknowledge", access.Operate, pen, c.acknowledge},
		{"POST /api/alarm/shelve", access.Operate, pen, c.shelve},
		{"POST /api/session/move", access.Operate, pen, c.move},
		{"POST /api/session/judge", access.Operate, pen, c.judge},

		{"GET /api/sessions", access.Replay, read, c.sessions},
		{"GET /api/bundles/{name}", access.Export, read, c.bundle},

		{"POST /api/session/holder", access.Erase, pen, c.holder},
		{"POST /api/session/withdraw", access.Erase, pen, c.withdraw},
		{"POST /api/session/receipt", access.Erase, pen, c.slip},
		{"GET /api/receipts/{name}", access.Erase, read, c.receipt},
		{"GET /api/overdue", access.Erase, read, c.overdue},
		{"POST /api/overdue/erase", access.Erase, pen, c.purge},

		{"GET /api/audit", access.Administer, read, c.audits},
	}...)
}

// muxOf answers some routes.
func (c *Console) muxOf(routes []route) *http.ServeMux {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.HandleFunc(r.pattern, c.allowed(r))
	}
	return mux
}

// allowed lets in whose role has the permission, and who holds the pen where that is
// needed.
func (c *Console) allowed(r route) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if who := access.Who(req.Context()); r.may != anybody && !who.Role.May(r.may) {
			c.forbid(w, req, r.may)
			return
		}
		if r.pen {
			id, page := consoleOf(req)
			err := errNoName
			if !page || id != "" {
				err = c.hub.pen.check(id)
			}
			if err != nil {
				c.doors.refused(req, http.StatusLocked)
				writeError(w, http.StatusLocked, err.Error())
				return
			}
		}
		c.noted(r, w, req)
	}
}
