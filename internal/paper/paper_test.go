package paper

import "testing"

func TestReturnIsThatOfTheTaskUnderAnyOfItsNames(t *testing.T) {
	for env, want := range map[string]float64{
		"cartpole-swingup": 821, "reacher-easy": 832, "dmc/walker-walk": 951, "dmc/walker-walk:render=fast:gl=egl": 951,
		"py:dm_control:cheetah-run": 662, "py:dm_control:ball_in_cup-catch": 930, "dmc/ball-in-cup-catch": 930,
		"cartpole-balance": 0, "": 0, "exec:./walker-walk": 0, "py:gymnasium:walker-walk": 0, "cartpole-swingup,walker-walk": 0,
	} {
		if got, ok := Return(env); got != want || ok != (want > 0) {
			t.Errorf("%q: %v, %v, want %v", env, got, ok, want)
		}
	}
}
