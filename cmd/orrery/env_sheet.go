package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/env"
	"github.com/orrery-rl/orrery/internal/lettering"
	"github.com/orrery-rl/orrery/internal/media"
)

type sheetOptions struct {
	size, seed, decisions, columns int
	out                            string
}

func newEnvSheet(a *app) *cobra.Command {
	o := &sheetOptions{}
	cmd := &cobra.Command{
		Use: "sheet [NAME...]", Short: "Write one PNG with a picture of each environment",
		Long: `Sheet draws each of the named environments after a few random actions, in rows,
with the names below. Without names it draws all that have pictures.`,
		Example: `  orrery env sheet -o tasks.png
  orrery env sheet cartpole-swingup dmc/cartpole-swingup:render={suite,fast,go} --columns 4
  orrery env sheet toy-dot py:gymnasium:Pendulum-v1 "exec:./dot" --size 64`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), a, args) },
	}
	cmd.Flags().IntVar(&o.size, "size", 128, "height and width of a picture in pixels")
	cmd.Flags().IntVar(&o.seed, "seed", 0, "seed of the initial states and the actions")
	cmd.Flags().IntVar(&o.decisions, "decisions", 5, "random decisions before a picture")
	cmd.Flags().IntVar(&o.columns, "columns", 6, "pictures in a row")
	cmd.Flags().StringVarP(&o.out, "out", "o", "sheet.png", "path of the file")
	return cmd
}

func (o *sheetOptions) run(ctx context.Context, a *app, names []string) error {
	if o.columns < 1 || o.decisions < 0 {
		return fmt.Errorf("%w: --columns is %d and --decisions %d, want at least 1 and 0", errUsage, o.columns, o.decisions)
	}
	all := len(names) == 0
	if all {
		names = a.envs.Names()
	}
	face, err := lettering.New(11, false)
	if err != nil {
		return err
	}
	var cells []*image.RGBA
	for _, name := range names {
		frame, err := o.picture(ctx, a, name, all)
		if err != nil {
			return errors.Join(err, face.Close())
		}
		if frame != nil {
			cells = append(cells, captioned(face, frame, name))
		}
	}
	if err := face.Close(); err != nil {
		return err
	}
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	return writeFile(a, o.out, func(w io.Writer) error { return encoder.Encode(w, tiled(cells, o.columns)) })
}

// picture is what an environment shows after random actions; nil if it shows
// nothing and may be left out.
func (o *sheetOptions) picture(ctx context.Context, a *app, name string, optional bool) (*image.RGBA, error) {
	e, err := a.envs.New(name, env.Options{Height: o.size, Width: o.size})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	if e.Spec().Image == (env.ImageSpec{}) {
		if optional {
			return nil, e.Close()
		}
		return nil, errors.Join(fmt.Errorf("%w: %s has no pictures", errUsage, name), e.Close())
	}
	frames, err := randomFrames(ctx, e, uint64(o.seed), o.decisions)
	if err := errors.Join(err, e.Close()); err != nil {
		return nil, err
	}
	return frames[len(frames)-1], nil
}

// captioned is a picture above its name, the options of which have a line of their
// own.
func captioned(face *lettering.Face, picture *image.RGBA, name string) *image.RGBA {
	const line = 14
	background, ink := color.RGBA{24, 26, 32, 255}, color.RGBA{220, 222, 228, 255}
	task, options, _ := strings.Cut(name, ":")
	size := picture.Bounds().Size()
	width := max(size.X, int(max(face.Width(task), face.Width(options)))+1)
	cell := media.Blank(width, size.Y+2*line+4, background)
	draw.Draw(cell, picture.Bounds(), picture, picture.Bounds().Min, draw.Src)
	face.Draw(cell, 0, float64(size.Y+line), ink, task)
	face.Draw(cell, 0, float64(size.Y+2*line), ink, options)
	return cell
}

// tiled puts cells into rows, all columns as wide as the widest cell.
func tiled(cells []*image.RGBA, columns int) *image.RGBA {
	const gap = 8
	var cell image.Point
	for _, c := range cells {
		size := c.Bounds().Size()
		cell = image.Pt(max(cell.X, size.X), max(cell.Y, size.Y))
	}
	columns = min(columns, max(1, len(cells)))
	rows := (len(cells) + columns - 1) / columns
	sheet := media.Blank(columns*(cell.X+gap)+gap, rows*(cell.Y+gap)+gap, color.RGBA{24, 26, 32, 255})
	for i, c := range cells {
		at := image.Pt(gap+i%columns*(cell.X+gap), gap+i/columns*(cell.Y+gap))
		draw.Draw(sheet, c.Bounds().Add(at), c, c.Bounds().Min, draw.Src)
	}
	return sheet
}
