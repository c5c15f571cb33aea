// Package dashboard is a local web page that shows runs while they go: returns,
// losses, planner, time, and what the agent sees beside what its model makes of
// it.
//
// It only reads what runs write, their event file and what they show of
// themselves (package metrics/live), and follows these files as they grow. So it
// is the same whether it runs in the process that trains or in another, and a
// run never waits for it. Files are not trusted, and whatever they hold takes a
// bounded amount of memory: a long history is kept in steps that get coarser.
//
// The page is embedded, loads nothing from elsewhere, and is told what is new
// through server-sent events. A browser that does not keep up is passed over,
// and reads everything again when it does.
package dashboard
