package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/orrery-rl/orrery/backend/cpu"
	"github.com/orrery-rl/orrery/config"
	"github.com/orrery-rl/orrery/worldmodel"
)

// complete lets shells complete what flags, and commands that take the name of an
// environment, can be given. It goes through cmd and all commands below.
func complete(a *app, cmd *cobra.Command) error {
	for name, values := range map[string]func() []string{
		"env": a.envs.Names, "preset": worldmodel.PresetNames, "profile": worldmodel.ProfileNames,
		"precision": one("auto", "f32", "bf16"), "backend": one("cpu", "go", "xla:"),
		"cpu-path": func() []string { return append(cpu.Paths(), "auto") }, "freeze": parts, "set": assignments(cmd),
	} {
		if f := cmd.Flags().Lookup(name); f == nil || f.Value.Type() == "int" {
			continue
		}
		if err := cmd.RegisterFlagCompletionFunc(name, fromList(values)); err != nil {
			return err
		}
	}
	if path := cmd.CommandPath(); path == "orrery env check" || path == "orrery env show" || path == "orrery bench env" {
		cmd.ValidArgsFunction = onlyFirst(fromList(a.envs.Names))
	}
	for _, below := range cmd.Commands() {
		if err := complete(a, below); err != nil {
			return err
		}
	}
	return nil
}

// onlyFirst completes one argument.
func onlyFirst(f cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return f(cmd, args, typed)
	}
}

func one(values ...string) func() []string { return func() []string { return values } }

// fromList completes the last of values with commas between them. No space
// follows a value that goes on.
func fromList(values func() []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		directive := cobra.ShellCompDirectiveNoFileComp
		var out []string
		for _, v := range values() {
			if !strings.HasPrefix(before+v, typed) {
				continue
			}
			if out = append(out, before+v); strings.HasSuffix(v, ":") || strings.HasSuffix(v, "=") {
				directive |= cobra.ShellCompDirectiveNoSpace
			}
		}
		return out, directive
	}
}

// parts are those of the models of presets; nothing if there is no such model.
func parts() []string {
	run, err := config.Preset("tiny")
	if err != nil {
		return nil
	}
	m, err := worldmodel.New(run.Model, worldmodel.Dims{Height: run.Env.ImageSize, Width: run.Env.ImageSize, Channels: 3, ActionSize: 1})
	if err != nil {
		return nil
	}
	return m.Parts()
}

// assignments are the settings that a command takes, up to their values.
func assignments(cmd *cobra.Command) func() []string {
	return func() (out []string) {
		for _, name := range config.Names() {
			if cmd.Name() != "eval" || strings.HasPrefix(name, "plan.") {
				out = append(out, name+"=")
			}
		}
		return out
	}
}
