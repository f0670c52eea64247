package stage

// StopPatience is how long Present waits for a page that it has stopped.
const StopPatience = stopPatience
