package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/internal/film"
	"github.com/orrery-rl/orrery/internal/media"
	"github.com/orrery-rl/orrery/internal/vfs"
	"github.com/orrery-rl/orrery/learn"
	"github.com/orrery-rl/orrery/replay"
	"github.com/orrery-rl/orrery/report"
	"github.com/orrery-rl/orrery/score"
)

type reportOptions struct {
	out     string
	noMedia bool
	backend config.Backend
}

func newReport(a *app) *cobra.Command {
	o := &reportOptions{}
	cmd := &cobra.Command{
		Use: "report RUN...", Short: "Write one page about a run, or about several side by side", Args: someRuns,
		Long: `Report writes what there is to say about a run on one page: evaluations with
intervals, learning curves, what the model dreams, time and speed, the machine,
the settings and the command that makes the run again, and what deserves
attention. With several runs it compares them, and those that differ in their
seed only as a group. A RUN is a directory, or the file of its events (*.jsonl).

A page that ends in .html is one file that needs no other and runs no scripts.
One that ends in .md has its pictures in a directory beside it.

Where a run's weights are there, an episode is played for the dream and errors
of predictions are measured, which takes seconds to minutes; --no-media leaves
both out. Runs without weights, and damaged ones, are told of as far as they go.`,
		Example: `  orrery report runs/cartpole-swingup
  orrery report runs/swingup-1 runs/swingup-2 runs/swingup-3 -o seeds.html
  orrery report results/cartpole-ablations/*.jsonl --no-media -o ablations.md`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), a, args) },
	}
	cmd.Flags().StringVarP(&o.out, "out", "o", "report.html", "file to write, .html or .md")
	cmd.Flags().BoolVar(&o.noMedia, "no-media", false, "play no episode and measure nothing")
	registerBackend(cmd, &o.backend)
	return cmd
}

func (o *reportOptions) run(ctx context.Context, a *app, args []string) error {
	ending := strings.ToLower(filepath.Ext(o.out))
	if ending != ".html" && ending != ".htm" && ending != ".md" {
		return fmt.Errorf("%w: --out %s must end in .html or .md", errUsage, o.out)
	}
	runs, err := loadRuns(a, args)
	if err != nil {
		return err
	}
	options := report.Options{FS: vfs.OS(), Media: map[string]report.Media{}}
	for _, r := range runs {
		if o.noMedia {
			break
		}
		if options.Media[r.Path], err = o.media(ctx, a, r); err != nil {
			return err
		}
	}
	page := report.Page(runs, options)
	if ending == ".md" {
		return o.writeMarkdown(a, page)
	}
	return writeFile(a, o.out, page.HTML)
}

// writeMarkdown writes the pictures first, so that the page never shows what is
// not there.
func (o *reportOptions) writeMarkdown(a *app, page *report.Document) error {
	dir := strings.TrimSuffix(o.out, filepath.Ext(o.out)) + "-files"
	var text bytes.Buffer
	files, err := page.Markdown(&text, filepath.Base(dir))
	if err != nil {
		return err
	}
	if err := vfs.MakeDirDurable(vfs.OS(), dir); err != nil {
		return err
	}
	for _, f := range files {
		err := vfs.WriteFileDurable(vfs.OS(), filepath.Join(dir, f.Name), func(w io.Writer) error {
			_, err := w.Write(f.Data)
			return err
		})
		if err != nil {
			return err
		}
	}
	return writeFile(a, o.out, func(w io.Writer) error {
		_, err := w.Write(text.Bytes())
		return err
	})
}

// media shows what a run's weights do. What stands in the way is told on the
// page; only an interrupt ends the report.
func (o *reportOptions) media(ctx context.Context, a *app, r *report.Run) (report.Media, error) {
	if _, err := os.Stat(filepath.Join(r.Dir, "snapshots")); err != nil || r.Path == filepath.Join(r.Dir, r.Name+".jsonl") {
		return report.Media{}, nil // kept without weights
	}
	m := report.Media{}
	t, err := openTrained(ctx, r.Dir, o.backend, slog.New(slog.NewTextHandler(a.err, nil)))
	if err != nil {
		m.Missing, m.OpenLoopMissing = a.missing(r, "no dream", err), "the weights could not be loaded"
		return m, ctx.Err()
	}
	defer t.close()
	if err := o.dream(ctx, a, t, &m); err != nil {
		m.Missing = a.missing(r, "no dream", err)
	}
	if err := openLoop(ctx, t, r, &m); err != nil && ctx.Err() == nil {
		m.OpenLoopMissing = a.missing(r, lacking(m), err)
	}
	return m, ctx.Err()
}

// missing warns of what the page of a run lacks, and returns why.
func (a *app) missing(r *report.Run, what string, err error) string {
	why := strings.ReplaceAll(err.Error(), "\n", "; ")
	fmt.Fprintf(a.err, "orrery: %s: %s: %s\n", r.Path, what, why)
	return why
}

// lacking says how much of the errors of predicted images there is not.
func lacking(m report.Media) string {
	if len(m.OpenLoop) > 0 {
		return "errors of predicted images were measured in part"
	}
	return "no errors of predicted images were measured"
}

// dream films the dream of an episode.
func (o *reportOptions) dream(ctx context.Context, a *app, t *trained, m *report.Media) error {
	d := dreamOptions{context: 5, length: 60, scale: 3, seed: 2}
	dream, err := d.dream(ctx, a, t)
	if err != nil {
		return err
	}
	frames, err := film.Dream(dream, d.context, d.scale)
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	if err := media.APNG.Write(ctx, &buf, frames, 100*time.Millisecond); err != nil {
		return err
	}
	m.Dream, m.MIME, m.Context, m.Length = buf.Bytes(), media.APNG.MIME(), d.context, len(frames)
	return nil
}

// openLoopEpisodes is how many of the last episodes errors are measured on.
const openLoopEpisodes = 3

// openLoop measures errors of predicted images on the last training episodes, as
// far as they are there. An error says what is left out; that there is nothing to
// measure is none.
func openLoop(ctx context.Context, t *trained, r *report.Run, m *report.Media) error {
	s, err := score.New(t.backend, t.model, t.params, score.Config{Length: score.DefaultLength, BitDepth: t.config.Env.BitDepth, Seed: 1})
	if err != nil {
		return err
	}
	defer s.Close()
	last := r.Last().Episodes
	switch {
	case s.Schema().Height == 0:
		m.OpenLoopMissing = "the model sees no images"
		return nil
	case last == 0 || r.Offline():
		m.OpenLoopMissing = "the run has no episodes of its own; orrery score measures them on others"
		return nil
	}
	first, measured := max(1, last-openLoopEpisodes+1), 0
	var unread []error
	for n := first; n <= last; n++ {
		path := learn.EpisodePath(r.Dir, n)
		ep, err := replay.ReadFile(vfs.OS(), path, s.Schema())
		if err != nil {
			unread = append(unread, fmt.Errorf("training episode %d: %w", n, err))
			continue
		}
		if err := s.Add(ctx, filepath.Base(path), ep); err != nil {
			return err
		}
		measured++
	}
	result := s.Result()
	for _, ahead := range score.Horizons() {
		key := strconv.Itoa(ahead)
		if v, ok := result.OpenLoop.Image[key]; ok {
			m.OpenLoop = append(m.OpenLoop, report.OpenLoop{Ahead: ahead, Nats: v, Pieces: result.OpenLoop.Pieces[key]})
		}
	}
	m.OpenLoopNote = fmt.Sprintf("on the last %d training episodes, after %d records that the model saw", measured, score.Context)
	if len(unread) > 0 {
		m.OpenLoopNote = fmt.Sprintf("on %d of the last %d training episodes, after %d records that the model saw", measured, last-first+1, score.Context)
	}
	if len(unread) == 0 && len(m.OpenLoop) == 0 {
		m.OpenLoopMissing = fmt.Sprintf("the episodes are too short: the model sees %d records first", score.Context)
	}
	return errors.Join(unread...)
}
