package portal

import (
	"slices"
	"testing"
	"time"

	"senim/internal/registry"
)

// A load says that X was liquidated: its head and its user are told by letter, once, and the head sees it on his page
// with what to do. Who heads Y alone is told nothing, nobody is told while the registry is silent, and a correction shows
// nothing any more.
func TestLiquidationIsTold(t *testing.T) {
	w, head := invitedC(t)
	says := func(status registry.Status, on registry.Date) {
		w.loads++
		w.load(registry.Batch{Source: registry.SourceLegal, Full: true, AsOf: w.time().Add(-time.Hour).Add(time.Duration(w.loads) * time.Second), Operator: "system",
			Entities: []registry.LegalEntity{
				{BIN: binX, Kind: registry.LE, NameRU: "АО «ТЕСТ»", Status: status, Registered: "2012-04-05", Liquidated: on},
				{BIN: binY, Kind: registry.LE, NameRU: "ТОО «ДОСТЫК»", Status: registry.Active, Registered: "2014-01-10"}},
			Leaders: []registry.Leader{{BIN: binX, IIN: iinA, Surname: "ТЕСТТОВ", Name: "ТЕСТТ", AppointedOn: "2020-06-01"}}})
	}
	if err := w.office.EntityEnded(t.Context(), binX, 7); err != nil || w.count("N-33") != 0 {
		t.Fatalf("an active company: %v, %d letters", err, w.count("N-33"))
	}
	head.get("/me").silentAbout("ликвидирована")

	says(registry.Liquidated, "2026-08-28")
	for range 2 {
		w.must(w.office.EntityEnded(t.Context(), binX, 8))
	}
	var to []string
	for _, m := range w.letters {
		if m.N == "N-33" && !slices.Contains(to, m.Key) {
			to = append(to, m.Key)
			if m.Vars["org"] != "АО «ТЕСТ»" || m.Vars["date"] != "2026-09-01" {
				t.Errorf("%+v", m)
			}
		}
	}
	if len(to) != 2 {
		t.Errorf("%d letters, want the head's and the user's: %v", len(to), to)
	}
	head.get("/me").says("По данным реестра эта организация ликвидирована 28.08.2026").says("обратитесь в органы юстиции").says("данные на 01.09.2026")
	if !slices.Contains(w.events, "enterprise.ended") {
		t.Error("not in the audit")
	}
	w.must(w.office.EntityEnded(t.Context(), "009940000006", 8)) // a company nobody registered
	if n := w.count("N-33"); n > 4 {
		t.Errorf("%d letters", n)
	}

	w.pass(8 * 24 * time.Hour)
	if err := w.office.EntityEnded(t.Context(), binX, 9); err == nil {
		t.Error("told of what the registry could not say")
	}
	w.pass(-8 * 24 * time.Hour)
	says(registry.Active, "")
	head.get("/me").silentAbout("ликвидирована")
}
