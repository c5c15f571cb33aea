package metrics

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func update(n int64, values map[string]float64) Event {
	return Event{Kind: KindUpdate, Time: time.Unix(1_700_000_000+n, 0).UTC(), Counters: Counters{EnvSteps: 8 * n, Decisions: n, Updates: n, Episodes: n / 100}, Values: values}
}

func TestEventEncoding(t *testing.T) {
	e := update(100, map[string]float64{"loss/kl:nats": 3.5, "loss/image:nats": math.NaN(), "grad/norm:1": math.Inf(-1)})
	e.Text = map[string]string{"note": "a \"quoted\"\nline"}
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"kind":"update","time":"2023-11-14T22:15:00Z","env_steps":800,"decisions":100,"updates":100,"episodes":1,` +
		`"values":{"grad/norm:1":null,"loss/image:nats":null,"loss/kl:nats":3.5},` +
		`"nonfinite":{"grad/norm:1":"-Inf","loss/image:nats":"NaN"},"text":{"note":"a \"quoted\"\nline"}}`
	if string(data) != want {
		t.Errorf("got  %s\nwant %s", data, want)
	}
}

func TestEventSurvivesEncoding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1)}))
		counter := rapid.Int64Min(0)
		e := Event{
			Kind:     rapid.StringMatching(`[a-z]+`).Draw(t, "kind"),
			Time:     time.Unix(rapid.Int64Range(0, 1e10).Draw(t, "second"), rapid.Int64Range(0, 1e9-1).Draw(t, "nano")).UTC(),
			Counters: Counters{counter.Draw(t, "e"), counter.Draw(t, "d"), counter.Draw(t, "u"), counter.Draw(t, "n")},
			Values:   rapid.MapOf(rapid.StringMatching(`[a-z0-9_]{1,5}/[a-z0-9_]{1,5}:[a-z0-9_]{1,5}`), value).Draw(t, "values"),
			Text:     rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "text"),
		}
		data, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var back Event
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, back, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("event changed (-wrote +read):\n%s", diff)
		}
	})
}

func TestValidateNamesEveryBadMetric(t *testing.T) {
	err := Event{Values: map[string]float64{"loss/kl": 1, "Loss/KL:nats": 1, "loss/kl:nats": 1, "kl:nats": 1}}.Validate()
	if !errors.Is(err, ErrInvalid) {
		t.Fatalf("error %v, want ErrInvalid", err)
	}
	for _, want := range []string{"no kind", `"loss/kl"`, `"Loss/KL:nats"`, `"kl:nats"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not mention %s:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), `"loss/kl:nats"`) {
		t.Errorf("error blames a good name:\n%v", err)
	}
}

func TestAfterComparesEveryCounter(t *testing.T) {
	base := Counters{1, 1, 1, 1}
	for _, c := range []struct {
		c    Counters
		want bool
	}{{base, false}, {Counters{}, false}, {Counters{2, 1, 1, 1}, true}, {Counters{1, 2, 1, 1}, true}, {Counters{0, 0, 2, 0}, true}, {Counters{1, 1, 1, 2}, true}} {
		if got := c.c.after(base); got != c.want {
			t.Errorf("%+v after %+v: %v, want %v", c.c, base, got, c.want)
		}
	}
}
