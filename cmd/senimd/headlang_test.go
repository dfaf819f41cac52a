package main

import (
	"testing"

	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/notice"
	"senim/internal/ra"
	"senim/internal/registry"
)

// A short message about an organisation's keys goes to its head, in the head's language and not the holder's.
func TestN04SpeaksTheHeadsLanguage(t *testing.T) {
	t.Parallel()
	known := registry.Many{Heads: map[ident.BIN]registry.Answer[registry.Head]{"009940000006": {Verdict: registry.Good, Value: registry.Head{Leader: registry.Leader{IIN: "009900000008"}}}},
		Phones: map[ident.IIN]registry.Answer[registry.MobileContact]{"009900000008": {Verdict: registry.Good, Value: registry.MobileContact{Phone: "+77010000001"}}}}
	accounts := map[string]ra.Account{"009900000008": {IIN: "009900000008", Lang: lang.KK}, "009900000909": {IIN: "009900000909", Lang: lang.RU}}
	s := held{key: ra.Key{IIN: "009900000909", BIN: "009940000006"}, KeySet: notice.KeySet{Lang: lang.RU}}
	s.phone(known, accounts)
	if s.Phone != "+77010000001" || s.PhoneLang != lang.KK || s.Lang != lang.RU {
		t.Errorf("%s in %s; letters in %s", s.Phone, s.PhoneLang, s.Lang)
	}
}
