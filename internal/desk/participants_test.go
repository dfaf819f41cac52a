package desk_test

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/pki"
)

// seedHead registers the head of the company at the portal.
func (w *world) seedHead() {
	w.t.Helper()
	err := w.portal.Seed(w.t.Context(), participant.Seeded{IIN: oldHead, Name: "ТЕСТТОВ ТЕСТТ", Email: "a@example.kz", Password: "quiet-lake-41", Lang: lang.RU,
		Profiles: []participant.SeededProfile{{Category: participant.LegalEntity, TIN: company, Name: "АО «ТЕСТ»"}}})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) statusOf(iin string) participant.Status {
	w.t.Helper()
	all, err := w.portal.Profiles(w.t.Context(), ident.IIN(iin))
	if err != nil || len(all) == 0 {
		w.t.Fatal(all, err)
	}
	return all[0].Status
}

var profileSeen = regexp.MustCompile(`data-profile="([^"]+)"`)

// One operator blocks, and it takes effect at once; two lift.
func TestParticipantsBlockedAndLifted(t *testing.T) {
	w := newWorld(t)
	w.seedHead()
	one, two := w.person(clerkOne, authorityBIN, pki.RoleOperator), w.person(clerkTwo, authorityBIN, pki.RoleOperator)
	one.signIn().has(t, 200, "/desk/participants")
	two.signIn()
	one.get("/desk/participants").has(t, 200, "Участники портала")
	one.post("/desk/participants", url.Values{"q": {"123"}}).has(t, 422, `id="q-error"`)
	found := one.post("/desk/participants", url.Values{"q": {"123 456 789 021"}})
	found.has(t, 200, "АО «ТЕСТ»", "ТЕСТТОВ ТЕСТТ", `data-status="ACTIVE"`)
	if strings.Contains(found.path, company) {
		t.Errorf("the number stands in the address: %s", found.path)
	}
	profile := profileSeen.FindStringSubmatch(found.body)[1]
	for _, kind := range []struct{ number, kind, object string }{{company, "enterprise", company}, {oldHead, "account", oldHead}, {company, "profile", profile}} {
		act := url.Values{"number": {kind.number}, "kind": {kind.kind}, "object": {kind.object}}
		one.post("/desk/participants/act", act).has(t, 422, `id="reason-error"`)
		act.Set("reason", "есеп жоқ")
		draft := one.post("/desk/participants/act", act)
		draft.has(t, 200, `data-state="DRAFT"`, "есеп жоқ")
		two.get(draft.path).has(t, 404)
		foreign, err := json.Marshal([]string{one.sign("<x/>")})
		if err != nil {
			t.Fatal(err)
		}
		one.post(draft.path, url.Values{"do": {"record"}, "answer": {string(foreign)}}).has(t, 422, "SIGNATURE_INVALID")
		one.post(draft.path, url.Values{"do": {"record"}, "answer": {two.agent(draft)}}).has(t, 422, "CERT_OTHER_PERSON")
		one.post(draft.path, url.Values{"do": {"record"}, "answer": {one.agent(draft)}}).has(t, 200, `data-state="DONE"`)
		one.post("/desk/participants/act", act).has(t, 422, "ADMIN_STATE")

		act.Set("lift", "yes")
		lift := one.post("/desk/participants/act", act)
		waiting := one.post(lift.path, url.Values{"do": {"record"}, "answer": {one.agent(lift)}})
		waiting.has(t, 200, `data-state="WAITING"`)
		if strings.Contains(waiting.body, "data-agent=") {
			t.Error("the maker is asked to confirm")
		}
		two.get("/desk/participants").has(t, 200, lift.path)
		two.post(lift.path, url.Values{"do": {"confirm"}, "answer": {two.agent(two.get(lift.path))}}).has(t, 200, `data-state="DONE"`)
		if s := w.statusOf(oldHead); s != participant.Active {
			t.Errorf("after lifting the %s: %s", kind.kind, s)
		}
	}
	one.get("/desk/participants/acts/none").has(t, 404)
	one.post("/desk/participants/act", url.Values{"kind": {"everything"}, "object": {company}, "reason": {"x"}}).has(t, 404)
	stranger := w.person(clerkOne, authorityBIN, pki.RoleEmployee)
	if p := stranger.get("/desk/participants"); p.path != "/desk/signin" {
		t.Errorf("not signed in: %s", p.path)
	}
}

// A sole proprietor is a person and an enterprise under one number: either may be blocked, each in its own form.
func TestParticipantWithTrade(t *testing.T) {
	w := newWorld(t)
	err := w.portal.Seed(t.Context(), participant.Seeded{IIN: oldHead, Name: "ТЕСТТОВ ТЕСТТ", Email: "a@example.kz", Password: "quiet-lake-41", Lang: lang.RU,
		Profiles: []participant.SeededProfile{{Category: participant.SoleProprietor, TIN: oldHead, Name: "ИП ТЕСТТОВ"}}})
	if err != nil {
		t.Fatal(err)
	}
	one := w.person(clerkOne, authorityBIN, pki.RoleOperator)
	one.signIn()
	one.post("/desk/participants", url.Values{"q": {oldHead}}).has(t, 200, "ИП ТЕСТТОВ", `id="reason-account-`+oldHead+`"`, `id="reason-enterprise-`+oldHead+`"`)
	for _, kind := range []string{"account", "enterprise"} {
		act := url.Values{"number": {oldHead}, "kind": {kind}, "object": {oldHead}}
		wrong := one.post("/desk/participants/act", act)
		wrong.has(t, 422, `id="reason-error"`)
		if strings.Contains(wrong.body, `id="reason-`+kind+"-") || strings.Count(wrong.body, `id="reason"`) != 1 {
			t.Errorf("the error does not stand at the form of the %s", kind)
		}
		act.Set("reason", "есеп жоқ")
		draft := one.post("/desk/participants/act", act)
		one.post(draft.path, url.Values{"do": {"record"}, "answer": {one.agent(draft)}}).has(t, 200, `data-state="DONE"`)
	}
	if s := w.statusOf(oldHead); s != participant.EnterpriseBlocked {
		t.Errorf("the sole proprietor is %s", s)
	}
	if _, err := w.portal.Admit(t.Context(), oldHead); err == nil {
		t.Error("the account is not blocked")
	}
}

// Nobody decides about himself or about an enterprise he acts for; who asked may take it back.
func TestParticipantsOneself(t *testing.T) {
	w := newWorld(t)
	w.seedHead()
	self := w.person(oldHead, authorityBIN, pki.RoleOperator)
	self.signIn()
	self.post("/desk/participants/act", url.Values{"kind": {"enterprise"}, "object": {company}, "reason": {"x"}}).has(t, 422, "OPERATOR_SELF")
	self.post("/desk/participants/act", url.Values{"kind": {"account"}, "object": {oldHead}, "reason": {"x"}}).has(t, 422, "OPERATOR_SELF")

	one := w.person(clerkOne, authorityBIN, pki.RoleOperator)
	one.signIn()
	block := one.post("/desk/participants/act", url.Values{"kind": {"account"}, "object": {oldHead}, "reason": {"есеп жоқ"}})
	one.post(block.path, url.Values{"do": {"record"}, "answer": {one.agent(block)}}).has(t, 200, `data-state="DONE"`)
	lift := one.post("/desk/participants/act", url.Values{"kind": {"account"}, "object": {oldHead}, "reason": {"түзелді"}, "lift": {"yes"}})
	one.post(lift.path, url.Values{"do": {"record"}, "answer": {one.agent(lift)}}).has(t, 200, `data-state="WAITING"`)
	one.post(lift.path, url.Values{"do": {"reject"}}).has(t, 200, `data-state="REJECTED"`)
	one.post(lift.path, url.Values{"do": {"reject"}}).has(t, 422, "ADMIN_STATE")
	if _, err := w.portal.Admit(t.Context(), oldHead); err == nil {
		t.Error("a rejected lifting was carried out")
	}
}

// Whoever looks a number up leaves a record, also when nobody has it, and the number does not stand in it.
func TestLookingUpIsRecorded(t *testing.T) {
	w := newWorld(t)
	w.seedHead()
	one := w.person(clerkOne, authorityBIN, pki.RoleOperator)
	one.signIn()
	one.post("/desk/participants", url.Values{"q": {company}}).has(t, 200, "АО «ТЕСТ»")
	one.post("/desk/participants", url.Values{"q": {"180140005198"}}).has(t, 422, `id="q-error"`)
	all, err := w.store.AuditRecords(t.Context(), w.store.Node(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var results []string
	for _, r := range all {
		if r.Action == "admin.lookup" {
			results = append(results, r.Result)
			if r.Actor != w.store.Hash(clerkOne) || strings.Contains(r.Object, company) || r.Object == "" {
				t.Errorf("recorded: %+v", r)
			}
		}
	}
	if strings.Join(results, " ") != "ok none" {
		t.Errorf("recorded %v", results)
	}
}

var signedSeen = regexp.MustCompile(`href="(/desk/participants/signed/[^"]+)"`)

// An administrator takes what a participant signed with its proof, and that is recorded.
func TestProofOfAParticipant(t *testing.T) {
	w := newWorld(t)
	w.seedHead()
	text := map[lang.Tag]string{lang.RU: "Текст.", lang.KK: "Мәтін.", lang.EN: "Text."}
	at := time.Now().UTC().Truncate(time.Second)
	err := w.store.Participant().Update(t.Context(), func(tx participant.Tx) error {
		return errors.Join(tx.PutAgreement(t.Context(), participant.Agreement{Version: "1.0", From: at.Add(-time.Hour), Text: text}),
			tx.PutSignature(t.Context(), participant.AgreementSignature{ID: "agreement-one", IIN: oldHead, TIN: company, Version: "1.0", Lang: lang.KK, Document: []byte("<agreement/>"), Certificate: []byte{1}, At: at}),
			tx.PutSignedAct(t.Context(), participant.SignedAct{ID: "act-one", Kind: participant.ActEmail, IIN: oldHead, Act: "action: change-email\n", Challenge: "challenge\n", Answer: []byte("cms"), Certificate: []byte("der"), At: at}),
			tx.AddProofs(t.Context(), "act-one", []participant.Proof{{Kind: participant.ProofStamp, Body: []byte("token"), Made: at}}))
	})
	if err != nil {
		t.Fatal(err)
	}
	one := w.person(clerkOne, authorityBIN, pki.RoleOperator)
	if p := one.get("/desk/participants/signed/act-one"); !strings.HasPrefix(p.path, "/desk/signin") {
		t.Error("given to a stranger")
	}
	one.signIn()
	found := one.post("/desk/participants", url.Values{"q": {oldHead}})
	found.has(t, 200, "Что он подписал", "Смена адреса e-mail", "Соглашение, версия 1.0")
	for _, want := range []struct{ id, files string }{{"act-one", "act.txt challenge.txt certificate.cer signed.p7s stamp-1.tst verify.txt"}, {"agreement-one", "signed.xml text.txt verify.txt"}} {
		if !slices.Contains(flat(signedSeen.FindAllStringSubmatch(found.body, -1)), "/desk/participants/signed/"+want.id) {
			t.Errorf("%s is not on the page", want.id)
		}
		p := one.get("/desk/participants/signed/" + want.id)
		z, err := zip.NewReader(strings.NewReader(p.body), int64(len(p.body)))
		if err != nil {
			t.Fatalf("%s: %v", want.id, err)
		}
		var names []string
		for _, f := range z.File {
			names = append(names, f.Name)
		}
		expected := strings.Fields(want.files)
		slices.Sort(names)
		slices.Sort(expected)
		if !slices.Equal(names, expected) {
			t.Errorf("%s: %v", want.id, names)
		}
	}
	one.get("/desk/participants/signed/none").has(t, 404)
	if n := len(slices.DeleteFunc(w.back.actions(t), func(a string) bool { return a != "admin.proof_read ok" })); n != 2 {
		t.Errorf("recorded %d times", n)
	}
}

func flat(all [][]string) (one []string) {
	for _, m := range all {
		one = append(one, m[1])
	}
	return one
}
