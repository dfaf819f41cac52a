package portal

import (
	"testing"

	"golang.org/x/oauth2"

	"senim/internal/lang"
	"senim/internal/participant"
)

// M2: a person's own profile and his trade have one number. A block of one ends the sessions that act as it, and what
// services hold of them; the other goes on.
func TestM2OneNumberTwoProfiles(t *testing.T) {
	w := newWorld(t)
	w.must(w.office.Seed(t.Context(), participant.Seeded{IIN: iinC, Name: "СЕРИКОВА АЙГУЛЬ", Email: "c@example.kz", Password: passC, Lang: lang.RU,
		Profiles: []participant.SeededProfile{{Category: participant.Individual, TIN: iinC, Name: "СЕРИКОВА АЙГУЛЬ"}, {Category: participant.SoleProprietor, TIN: iinC, Name: "ИП СЕРИКОВА"}}}))
	all, err := w.office.Profiles(t.Context(), iinC)
	w.must(err)
	enter := func(kind participant.ProfileType) (*browser, *oauth2.Token, *party) {
		t.Helper()
		for _, p := range all {
			if p.Type != kind {
				continue
			}
			b := w.browser()
			b.login(w.personal(iinC), passC).at("/login/profile").post("/login/profile", "profile", p.ID).at("/me")
			shop := w.shop("profile", "offline_access")
			answer := b.visit(shop.address())
			if answer == nil { // asked once whether the service may know him
				answer = b.decide("allow")
			}
			token, _ := shop.tokens(answer)
			return b, token, shop
		}
		t.Fatalf("no profile %s", kind)
		return nil, nil, nil
	}
	own, ownToken, ownShop := enter(participant.TypeIndividual)
	trade, token, shop := enter(participant.TypeEntrepreneur)
	for _, p := range all {
		if p.Type == participant.TypeIndividual {
			w.admin(participant.BlockProfile, p.ID, false, "По заявлению")
		}
	}
	own.get("/me").closed("SESSION_PROFILE")
	if _, err := ownShop.config.TokenSource(ownShop.ctx, &oauth2.Token{RefreshToken: ownToken.RefreshToken}).Token(); refused(t, err) != "invalid_grant" {
		t.Errorf("the token of the blocked profile: %v", err)
	}
	trade.get("/me").at("/me").says("ИП СЕРИКОВА")
	if _, err := shop.config.TokenSource(shop.ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token(); err != nil {
		t.Errorf("the token of the other profile: %v", err)
	}
}
