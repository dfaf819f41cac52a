package state

import (
	"slices"
	"strings"

	"golang.org/x/text/language"

	"senim/dsig"
	"senim/internal/ident"
	"senim/internal/registry"
)

// PersonState is what a value of a directory of the register of persons means.
type PersonState string

// The states of a person.
const (
	Alive     PersonState = "ALIVE"
	Dead      PersonState = "DEAD"
	Capable   PersonState = "CAPABLE"
	Incapable PersonState = "INCAPABLE"
)

// DefaultPersonStates are the known values of the directories: "life:" and "capable:" with a code or a Russian
// name. Most codes are not published, so that they are added by configuration.
func DefaultPersonStates() map[string]PersonState {
	return map[string]PersonState{"life:0": Alive, "life:Нормальный": Alive, "life:Жив": Alive, "life:Живой": Alive,
		"life:Умер": Dead, "life:Умерший": Dead,
		"capable:Дееспособный": Capable, "capable:Недееспособный": Incapable, "capable:Ограниченно дееспособный": Incapable}
}

// personRecord reads a person of the answer. A status that is not known makes the whole of it unknown: what it
// says may be what should close the gate.
type personRecord struct {
	record
	states map[string]PersonState
	today  registry.Date
	news   string // the first status that is not known here
}

func (r *personRecord) read(iin ident.IIN) (registry.Person, error) {
	citizenship := codeOf(r.once("citizenship"))
	p := registry.Person{IIN: iin, Surname: r.text("surname"), Name: r.text("name"), Patronymic: r.text("patronymic"), Born: r.day(r.text("birthDate")),
		Dead: r.dead(), Incapable: r.incapable(), Excluded: r.excluded(), Citizenship: citizenship, Nonresident: foreign(citizenship)}
	r.absent()
	if r.bad || p.Surname == "" && p.Name == "" {
		return registry.Person{}, fail(Unreadable, "the person has no name, or a date that is none")
	}
	if r.news != "" {
		return registry.Person{}, &trouble{code: NewStatus, why: "a status of a person that is not configured: " + r.news, alert: true, calm: true}
	}
	return p, nil
}

// once is a child that stands at most once; nil when it is absent or says nothing.
func (r *personRecord) once(name string) *dsig.Element {
	r.bad = r.bad || len(r.e.All(name)) > 1
	e := r.e.Child(name)
	if !says(e) {
		return nil
	}
	return e
}

// says reports that something stands in an element or below it: bridges write empty ones for what is absent.
func says(e *dsig.Element) bool {
	return e != nil && (textOf(e) != "" || slices.ContainsFunc(e.Children, says))
}

// unknown notes a status for the operator: its name and code, and nothing that is longer than a code.
func (r *personRecord) unknown(name, code string) {
	if len(code) > 8 || strings.ContainsFunc(code, func(c rune) bool { return c < '0' || c > 'z' }) {
		code = "?"
	}
	if r.news == "" {
		r.news = strings.TrimSpace(name + " " + code)
	}
}

// means looks a directory value up by its code and its name; when both are known they must say the same.
func (r *personRecord) means(kind, field string, e *dsig.Element) PersonState {
	code := codeOf(e)
	byCode, a := r.states[kind+":"+code]
	byName, b := r.states[kind+":"+r.in(e, "nameRu")]
	switch {
	case a && b && byCode != byName, !a && !b:
		r.unknown(field, code)
		return ""
	case a:
		return byCode
	}
	return byName
}

// dead: a date of death says it whatever the status does.
func (r *personRecord) dead() bool {
	if r.day(r.text("deathDate")) != "" {
		return true
	}
	e := r.once("lifeStatus")
	if e == nil {
		r.unknown("lifeStatus", "")
		return false
	}
	return r.means("life", "lifeStatus", e) == Dead
}

// incapable: a court said so, and the day until which it holds has not come.
func (r *personRecord) incapable() bool {
	e := r.once("personCapableStatus")
	if e == nil {
		return false
	}
	status := e.Child("capableStatus")
	if status == nil {
		r.unknown("personCapableStatus", "")
		return false
	}
	r.bad = r.bad || len(e.All("capableStatus")) > 1
	return r.means("capable", "capableStatus", status) == Incapable && !r.over(e, "capableEndDate")
}

// excluded: the number was taken out of the register.
func (r *personRecord) excluded() bool {
	e := r.once("excludeStatus")
	if e == nil {
		return false
	}
	if says(e.Child("excludeReason")) || says(e.Child("excludeDate")) {
		return true
	}
	return r.flag("excludeStatus", e)
}

// absent notes what no rule decides: who is missing by a court's word, and a record that was removed, may be
// somebody else's to use.
func (r *personRecord) absent() {
	if e := r.once("missingStatus"); e != nil {
		switch said := e.Child("missing"); {
		case says(said) && !r.flag("missingStatus", said), r.over(e, "missingEndDate"):
		case said == nil && len(e.Children) == 0 && !r.flag("missingStatus", e):
		default:
			r.unknown("missingStatus", "")
		}
	}
	if e := r.once("removed"); e != nil && r.flag("removed", e) {
		r.unknown("removed", "")
	}
}

// over reports that the day until which a status holds has come.
func (r *personRecord) over(e *dsig.Element, name string) bool {
	until := r.day(r.in(e, name))
	return until != "" && until <= r.today
}

// flag reads a bare yes or no; another word is not known.
func (r *personRecord) flag(name string, e *dsig.Element) bool {
	switch said := textOf(e); {
	case len(e.Children) > 0:
		r.unknown(name, "")
	case said == "1", said == "true":
		return true
	case said != "" && said != "0" && said != "false":
		r.unknown(name, said)
	}
	return false
}

// codeOf is the code of a directory value, or a text that stands alone.
func codeOf(e *dsig.Element) string {
	if e == nil {
		return ""
	}
	return first(textOf(e.Child("code")), textOf(e.Child("Code")), textOf(e))
}

// foreign: of another country, as far as it is known; who is foreign is asked for less, so that a code nobody
// knows is no foreigner's.
func foreign(code string) bool {
	if slices.Contains([]string{"", "398", "KZ", "KAZ"}, strings.ToUpper(code)) {
		return false
	}
	country, err := language.ParseRegion(code)
	return err == nil && country.IsCountry()
}
