package desk_test

import (
	"context"
	"strings"
	"testing"

	"senim/internal/desk"
	"senim/internal/ident"
	"senim/pki"
)

// Names of open data stand beside a clerk's change, marked as such, and are not what is signed.
func TestR22OpenDataBesideAChange(t *testing.T) {
	w := newWorldOf(t, func(c *desk.Config) {
		c.OpenNames = func(_ context.Context, bin ident.BIN) (name, head string) {
			if bin != company {
				t.Errorf("asked about another number")
			}
			return "АО «ДРУГОЕ»", "ДРУГАЯ ФАМИЛИЯ"
		}
	})
	one := w.person(clerkOne, authorityBIN, pki.RoleOperator)
	one.signIn()
	draft := one.upload("/desk/registry/new", form(), []byte("%PDF-1.7"))
	draft.has(t, 200, `data-source="open"`, "открытые данные", "ДРУГАЯ ФАМИЛИЯ", "ничего не подтверждают")
	if strings.Contains(string(signedText(t, w, draft.path)), "ДРУГ") {
		t.Error("open data are in what the clerk signs")
	}
}

// signedText is what the clerk of a draft signs.
func signedText(t *testing.T, w *world, path string) []byte {
	t.Helper()
	c, err := w.book.Change(t.Context(), path[strings.LastIndex(path, "/")+1:])
	if err != nil {
		t.Fatal(err)
	}
	return c.XML("record")
}
