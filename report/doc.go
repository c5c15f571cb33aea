// Package report reads what training runs left on disk and tells it to people:
// as curves, and as one page that a browser or a Markdown viewer shows.
//
// [Load] reads a run, whatever is left of it: a run without weights, a
// metrics.jsonl that was kept alone, or a damaged one still say what they know,
// and what is missing is named. [Figure] draws metrics of one or several runs.
// [Page] composes the page; [Document.HTML] and [Document.Markdown] write it. A
// page holds nothing that was not in the files it was made from, and the same
// files give the same page.
//
// Names and texts in a run's files are not trusted: whatever they say, they end
// up as text.
package report
