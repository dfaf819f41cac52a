package cabinet

import (
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"senim/internal/notice"
	"senim/internal/ra"
)

var edited = url.Values{"email": {"new@example.kz"}, "city": {"Астана"}, "storage": {"PKCS12"}}

// lastLetter is the newest letter to an address, written in its reader's language.
func (s *site) lastLetter(to string) (notice.Message, string) {
	s.t.Helper()
	all := s.letters(to)
	if len(all) == 0 {
		s.t.Fatalf("no letter to %s", to)
	}
	last := all[len(all)-1]
	l, err := notice.Render(last, "Senim")
	must(s.t, err)
	return last, l.Subject + "\n" + l.Text
}

// told fails the test unless the newest letter to an address is n and says the words.
func (s *site) told(to, n string, words ...string) {
	s.t.Helper()
	m, letter := s.lastLetter(to)
	for _, w := range words {
		if m.N != n || !strings.Contains(letter, w) {
			s.t.Errorf("%s was told %s, want %s with %q:\n%s", to, m.N, n, w, letter)
		}
	}
}

// TestC16EditAfterConfirmation: the approval is gone, D is told, and his old signature counts no more.
func TestC16EditAfterConfirmation(t *testing.T) {
	t.Parallel()
	s := company(t)
	head := s.head(iinD, binX)
	d := s.enters("d@example.kz", head)
	e := s.enters("e@example.kz", s.personal(iinE))
	number := e.applies(ra.RoleEmployee)
	old := s.decision("confirm", iinD, binX, "", s.app(number))
	d.posts(head, old).has(t, 200, "Подтверждена")
	s.state(number, ra.Approved)
	e.get("/applications/"+number+"/edit").has(t, 200, "Изменение отменит подпись и подтверждения")
	p := e.post("/applications/"+number+"/edit", edited).has(t, 200, "Создайте новые ключи")
	if a := s.state(number, ra.Draft); a.Revision != 2 || len(a.Approvals) != 0 || a.SignedHash != "" || a.Email != "new@example.kz" {
		t.Errorf("after the edit: %+v", a)
	}
	s.told("d@example.kz", "N-11", "изменена заявителем", "подтверждения отменены", origin+"/confirm")
	s.told("e@example.kz", "N-11", "подпишите заявку снова")
	must(t, s.office.Issue(t.Context(), ra.Task{Number: number, Revision: 1})) // the job of the old approval
	s.state(number, ra.Draft)

	d.posts(head, old).has(t, 422, `data-code="REVISION_CHANGED"`, "теперь редакция 2")
	s.refusedWith(number, "application.confirmed", "REVISION_CHANGED")
	e.signs(p)
	s.told("d@example.kz", "N-10")
	d.posts(head, old).has(t, 422, `data-code="REVISION_CHANGED"`)
	if a := s.state(number, ra.AwaitingDirector); len(a.Approvals) != 0 {
		t.Error("a replayed confirmation counted")
	}
	d.click(d.get("/confirm/sign?number="+number)).has(t, 200, "Подтверждена")
	if a := s.state(number, ra.Approved); a.Approvals[0].Revision != 2 {
		t.Errorf("approved %+v", a.Approvals)
	}
}

// TestC17ExpiresUnconfirmed: after 30 days and a second the nightly job closes it; E is told and finds
// it by its number.
func TestC17ExpiresUnconfirmed(t *testing.T) {
	t.Parallel()
	s := company(t)
	d := s.enters("d@example.kz", s.head(iinD, binX))
	e := s.enters("e@example.kz", s.personal(iinE))
	number := e.applies(ra.RoleEmployee)
	s.now = s.now.Add(ra.ConfirmTTL)
	must(t, s.office.Sweep(t.Context()))
	s.state(number, ra.AwaitingDirector)
	s.now = s.now.Add(time.Second)
	d.again().get("/confirm").has(t, 200, "Сейчас нет заявок") // late even before the job has run
	d.posts(d.keys[0], s.decision("confirm", iinD, binX, "", s.app(number))).has(t, 422, `data-code="APPLICATION_EXPIRED"`)
	must(t, s.office.Sweep(t.Context()))
	must(t, s.office.Sweep(t.Context()))
	s.state(number, ra.Expired)
	s.told("e@example.kz", "N-11", "Истёк срок подтверждения", "в срок никто не подтвердил")
	if all := s.recorded(number, "application.expired"); len(all) != 1 {
		t.Errorf("recorded %+v", all)
	}
	e.again().get("/applications?number="+ra.FormatNumber(number)).has(t, 200, "Истёк срок подтверждения", `data-who="head" data-state="stop"`)
	e.get("/applications").has(t, 200, number)
	d.posts(d.keys[0], s.decision("confirm", iinD, binX, "", s.app(number))).has(t, 422, `data-code="APPLICATION_EXPIRED"`)
	must(t, s.office.Issue(t.Context(), ra.Task{Number: number, Revision: 1}))
	s.state(number, ra.Expired)
}

// TestC18ConfirmedInTheLastHour: at 29 days and 23 hours it still counts.
func TestC18ConfirmedInTheLastHour(t *testing.T) {
	t.Parallel()
	s := company(t)
	d := s.enters("d@example.kz", s.head(iinD, binX))
	e := s.enters("e@example.kz", s.personal(iinE))
	number := e.applies(ra.RoleEmployee)
	s.now = s.now.Add(29*24*time.Hour + 23*time.Hour)
	must(t, s.office.Sweep(t.Context()))
	d.again()
	d.click(d.get("/confirm/sign?number="+number)).has(t, 200, "Подтверждена")
	s.state(number, ra.Approved)
	s.now = s.now.Add(2 * time.Hour)
	must(t, s.office.Sweep(t.Context()))
	s.state(number, ra.Approved)
}

// TestC19WithdrawnBeforeTheConfirmation: nothing is issued, and D is told why.
func TestC19WithdrawnBeforeTheConfirmation(t *testing.T) {
	t.Parallel()
	s := company(t)
	d := s.enters("d@example.kz", s.head(iinD, binX))
	e := s.enters("e@example.kz", s.personal(iinE))
	number := e.applies(ra.RoleEmployee)
	sign := d.get("/confirm/sign?number=" + number)
	e.post("/applications/"+number+"/withdraw", nil).has(t, 200, "Заявка отозвана")
	s.told("d@example.kz", "N-11", "заявитель отозвал свою заявку")
	s.told("e@example.kz", "N-11", "Отозвана заявителем")
	s.now = s.now.Add(time.Second)
	d.click(sign).has(t, 422, `data-code="APPLICATION_WITHDRAWN"`, "Заявка отозвана")
	s.refusedWith(number, "application.confirmed", "APPLICATION_WITHDRAWN")
	must(t, s.office.Issue(t.Context(), ra.Task{Number: number, Revision: 1}))
	s.state(number, ra.Withdrawn)
	if len(s.ca.orders) != 0 {
		t.Error("something was issued")
	}
	d.get("/confirm/sign?number="+number).has(t, 422, `data-code="APPLICATION_WITHDRAWN"`)
}

// TestC39RevisionChangedMeanwhile: D signed what he had seen; it is refused and he sees the new revision.
func TestC39RevisionChangedMeanwhile(t *testing.T) {
	t.Parallel()
	s := company(t)
	d := s.enters("d@example.kz", s.head(iinD, binX))
	e := s.enters("e@example.kz", s.personal(iinE))
	number := e.applies(ra.RoleEmployee)
	sign := d.get("/confirm/sign?number="+number).has(t, 200, "редакция 1")
	e.signs(e.post("/applications/"+number+"/edit", edited))
	p := d.click(sign).has(t, 422, `data-code="REVISION_CHANGED"`, "теперь редакция 2", "/applications/"+number, "/confirm")
	if strings.Contains(p.body, "Подтверждена") {
		t.Error("the page says it was confirmed")
	}
	s.refusedWith(number, "application.confirmed", "REVISION_CHANGED")
	if a := s.state(number, ra.AwaitingDirector); a.Revision != 2 || len(a.Approvals) != 0 {
		t.Errorf("%d %+v", a.Revision, a.Approvals)
	}
	d.get("/confirm").has(t, 200, "редакция 2")
	d.click(d.get("/confirm/sign?number="+number).has(t, 200, s.app(number).SignedHash)).has(t, 200, "Подтверждена")
}

// TestTwoConfirmationsAtOnce: one approval, and the second is told that it is confirmed already.
func TestTwoConfirmationsAtOnce(t *testing.T) {
	t.Parallel()
	s := company(t)
	d := s.enters("d@example.kz", s.head(iinD, binX))
	e := s.enters("e@example.kz", s.personal(iinE))
	b := s.enters("s@example.kz", s.staff(iinS, legalRoles[ra.RoleSignRight]))
	s.delegates("d1", iinS)
	number := e.applies(ra.RoleEmployee)
	var wg sync.WaitGroup
	answers := make([]page, 2)
	both := []*browser{d, b}
	asked := []page{d.get("/confirm/sign?number=" + number), b.get("/confirm/sign?number=" + number)} // before either signs
	for i, one := range both {
		wg.Go(func() { answers[i] = one.click(asked[i]) })
	}
	wg.Wait()
	second := 0
	for _, p := range answers {
		if p.status == 422 {
			second++
			p.has(t, 422, `data-code="ALREADY_CONFIRMED"`, "уже подтверждена")
		} else {
			p.has(t, 200, "Подтверждена 1 заявка")
		}
	}
	if a := s.state(number, ra.Approved); second != 1 || len(a.Approvals) != 1 {
		t.Errorf("%d refused, %d approvals", second, len(a.Approvals))
	}
}
