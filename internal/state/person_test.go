package state_test

import (
	"strings"
	"testing"

	"senim/internal/registry"
	"senim/internal/state"
	"senim/internal/state/statetest"
)

// What the register says of a person's life, capability, absence and exclusion, in the published shape: known values are
// read, every other is "could not check", and none of them passes for good.
func TestPersonStatuses(t *testing.T) {
	const (
		life     = `<lifeStatus><code>0</code></lifeStatus>`
		capable  = `<personCapableStatus><capableStatus><code>%c</code><nameRu>%n</nameRu></capableStatus><capableDate>2020-01-01</capableDate>%e<capableNumber>1</capableNumber></personCapableStatus>`
		missing  = `<missingStatus><missing>true</missing><missingDate>2020-01-01</missingDate>%e</missingStatus>`
		excluded = `<excludeStatus><excludeReason><code>07</code><nameRu>Новая причина</nameRu></excludeReason><excludeDate>2021-01-01</excludeDate></excludeStatus>`
		unknown  = "unknown"
	)
	with := func(s string, pairs ...string) string {
		return strings.NewReplacer(append(pairs, "%c", "", "%n", "", "%e", "")...).Replace(s)
	}
	for name, c := range map[string]struct{ says, want string }{
		"alive":                            {life, ""},
		"alive by its name":                {`<lifeStatus><code>1x</code><nameRu>Нормальный</nameRu></lifeStatus>`, ""},
		"dead by its name":                 {`<lifeStatus><code>7</code><nameRu>Умерший</nameRu></lifeStatus>`, "dead"},
		"dead by the date":                 {`<lifeStatus><code>9</code></lifeStatus><deathDate>2025-01-01</deathDate>`, "dead"},
		"a new status of life":             {`<lifeStatus><code>9</code><nameRu>Новый</nameRu></lifeStatus>`, unknown},
		"code and name that disagree":      {`<lifeStatus><code>0</code><nameRu>Умерший</nameRu></lifeStatus>`, unknown},
		"nothing about life":               {``, unknown},
		"life said twice":                  {life + life, unknown},
		"capable by its name":              {life + with(capable, "%c", "55", "%n", "Дееспособный"), ""},
		"incapable by its name":            {life + with(capable, "%c", "55", "%n", "Недееспособный"), "incapable"},
		"limited by its name":              {life + with(capable, "%n", "Ограниченно дееспособный"), "incapable"},
		"incapable by a configured code":   {life + with(capable, "%c", "77"), "incapable"},
		"incapable until a day that came":  {life + with(capable, "%n", "Недееспособный", "%e", "<capableEndDate>2021-01-01</capableEndDate>"), ""},
		"incapable until a day to come":    {life + with(capable, "%n", "Недееспособный", "%e", "<capableEndDate>2099-01-01</capableEndDate>"), "incapable"},
		"a new capability":                 {life + with(capable, "%c", "55", "%n", "Новая"), unknown},
		"a new capability that has ended":  {life + with(capable, "%c", "55", "%e", "<capableEndDate>2021-01-01</capableEndDate>"), unknown},
		"a capability without a status":    {life + `<personCapableStatus><capableDate>2020-01-01</capableDate></personCapableStatus>`, unknown},
		"a bare capability":                {life + `<personCapableStatus>1</personCapableStatus>`, unknown},
		"an empty capability":              {life + `<personCapableStatus/>`, ""},
		"missing":                          {life + with(missing), unknown},
		"missing until a day that came":    {life + with(missing, "%e", "<missingEndDate>2021-01-01</missingEndDate>"), ""},
		"a day that is none":               {life + with(missing, "%e", "<missingEndDate>soon</missingEndDate>"), unknown},
		"not missing":                      {life + `<missingStatus>false</missingStatus>`, ""},
		"not missing in the longer form":   {life + `<missingStatus><missing>false</missing></missingStatus>`, ""},
		"a missing status of another form": {life + `<missingStatus><lost>2020</lost></missingStatus>`, unknown},
		"excluded":                         {life + excluded, "excluded"},
		"excluded, short":                  {life + `<excludeStatus>1</excludeStatus>`, "excluded"},
		"not excluded, short":              {life + `<excludeStatus>0</excludeStatus>`, ""},
		"a new word about exclusion":       {life + `<excludeStatus>2</excludeStatus>`, unknown},
		"removed from the register":        {life + `<removed>true</removed>`, unknown},
		"not removed":                      {life + `<removed>false</removed>`, ""},
	} {
		w := newWorld(t, func(c *state.Config) {
			c.Gateway.PersonStates = state.DefaultPersonStates()
			c.Gateway.PersonStates["capable:77"] = state.Incapable
		})
		w.gateway.Put("GBDFLINFO", man, statetest.PersonSaying(man, c.says))
		a := w.Person(t.Context(), registry.ForKey, man)
		got := ""
		switch v := a.Value; {
		case a.Verdict != registry.Good:
			got = string(a.Verdict)
		case v.Dead:
			got = "dead"
		case v.Incapable:
			got = "incapable"
		case v.Excluded:
			got = "excluded"
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q: %+v", name, got, c.want, a)
		}
		if c.want == unknown && a.Value != (registry.Person{}) {
			t.Errorf("%s: tells something all the same: %+v", name, a.Value)
		}
	}
}

// A value nobody here knows is for the operator to look at, and no failure of the service: the next question is asked.
func TestNewStatusIsTheOperators(t *testing.T) {
	w := newWorld(t, nil)
	w.gateway.Put("GBDFLINFO", man, statetest.PersonSaying(man, `<lifeStatus><code>9</code><nameRu>Новый</nameRu></lifeStatus>`))
	for range 7 {
		if a := w.Person(t.Context(), registry.ForKey, man); a.Code != state.NewStatus {
			t.Fatalf("%+v", a)
		}
	}
	if said := w.said(); !strings.Contains(said, "ALERT") || !strings.Contains(said, "lifeStatus 9") || strings.Contains(said, man) || strings.Contains(said, "СКРЫТАЯ") {
		t.Errorf("the log says:\n%s", said)
	}
	w.gateway.Put("GBDFLINFO", man, statetest.Person(man, ""))
	if a := w.Person(t.Context(), registry.ForKey, man); a.Verdict != registry.Good {
		t.Errorf("%+v", a)
	}
}
