// Package access says who may do what at the lab's pages: the tokens that were given
// out, the role of each, and what a role may do.
package access

import (
	"context"
	"slices"
)

// Role is what somebody is in the lab.
type Role string

// The roles.
const (
	Viewer   Role = "viewer"   // watches the lab live
	Operator Role = "operator" // runs sessions
	Analyst  Role = "analyst"  // works with sessions that are over
	Admin    Role = "admin"    // everything, and gives out tokens
	// Camera is the page that lends the lab its camera. Nobody is given a token of it: the
	// page has one of its own.
	Camera Role = "camera"
)

// Permission is one thing that a role may do.
type Permission string

// The permissions.
const (
	Watch      Permission = "watch"      // the lab as it is now
	Operate    Permission = "operate"    // start, stop, decide, mark
	Replay     Permission = "replay"     // look at sealed sessions
	Annotate   Permission = "annotate"   // add annotations and areas of interest to them
	Export     Permission = "export"     // take copies out of the lab
	Erase      Permission = "erase"      // withdraw and purge
	Administer Permission = "administer" // tokens, and the log of what was done
	Film       Permission = "camera"     // be the lab's camera
)

// may is the one table of roles.
var may = map[Role][]Permission{
	Viewer:   {Watch},
	Operator: {Watch, Operate, Replay, Annotate, Export, Erase},
	Analyst:  {Replay, Annotate, Export},
	Admin:    {Watch, Operate, Replay, Annotate, Export, Erase, Administer},
	Camera:   {Film},
}

// deeds says in words what a permission is for.
var deeds = map[Permission]string{
	Watch:      "watch the lab as it is now",
	Operate:    "run sessions",
	Replay:     "look at sessions that are over",
	Annotate:   "annotate sessions",
	Export:     "take copies out of the lab",
	Erase:      "erase, or see who is to be erased",
	Administer: "read the log of what was done",
	Film:       "be the lab's camera",
}

// String says in words what somebody may do who has the permission: "run sessions".
func (p Permission) String() string { return deeds[p] }

// May tells whether a role has a permission. An unknown role has none.
func (r Role) May(p Permission) bool { return slices.Contains(may[r], p) }

// Holder is somebody who has shown a token.
type Holder struct {
	Name string // as it was given with the token: "front desk"
	Role Role
}

type holderKey struct{}

// With returns a context that says who asks.
func With(ctx context.Context, h Holder) context.Context {
	return context.WithValue(ctx, holderKey{}, h)
}

// Who returns who asks; the zero Holder, who may do nothing, where nobody is known.
func Who(ctx context.Context) Holder {
	h, _ := ctx.Value(holderKey{}).(Holder)
	return h
}
