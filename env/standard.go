package env

// Standard puts the shared wrappers around a bare environment:
// Guard(BitDepth(ActionRepeat(TimeLimit(bare)))). The time limit is innermost
// because it counts env steps; the guard is outermost because it speaks of what
// the caller sees.
//
// maxEnvSteps 0 means no time limit. Of opts it uses ActionRepeat and BitDepth,
// where 0 means 1 and 8; the size of the image is the bare environment's
// business. If Standard fails, bare is closed.
func Standard(bare Env, opts Options, maxEnvSteps int) (Env, error) {
	wrapped, err := standard(bare, opts, maxEnvSteps)
	if err != nil {
		_ = bare.Close() // the error that matters is the one we return
		return nil, err
	}
	return wrapped, nil
}

func standard(e Env, opts Options, maxEnvSteps int) (Env, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	opts = opts.withDefaults(Entry{})
	var err error
	if maxEnvSteps != 0 {
		if e, err = TimeLimit(e, maxEnvSteps); err != nil {
			return nil, err
		}
	}
	if e, err = ActionRepeat(e, opts.ActionRepeat); err != nil {
		return nil, err
	}
	if e, err = BitDepth(e, opts.BitDepth); err != nil {
		return nil, err
	}
	return Guard(e)
}
