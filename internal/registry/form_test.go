package registry_test

import (
	"errors"
	"strings"
	"testing"

	"senim/internal/registry"
	"senim/internal/store/storetest"
)

// A clerk's form says what is wrong with a field: that it is empty, or that what stands in it cannot be taken.
func TestFieldsOfAChange(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.must(monday())
	for name, c := range map[string]struct {
		change      func(*registry.Form)
		field, code string
	}{
		"no surname":         {func(f *registry.Form) { f.Surname = " " }, "surname", "FIELD_REQUIRED"},
		"no document":        {func(f *registry.Form) { f.Document = "" }, "document", "FIELD_REQUIRED"},
		"a long surname":     {func(f *registry.Form) { f.Surname = strings.Repeat("Ы", 201) }, "surname", "FIELD_INVALID"},
		"a long patronymic":  {func(f *registry.Form) { f.Patronymic = strings.Repeat("x", 401) }, "patronymic", "FIELD_INVALID"},
		"control characters": {func(f *registry.Form) { f.Position = "Дирек\x00тор" }, "position", "FIELD_INVALID"},
		"no text":            {func(f *registry.Form) { f.Name = "\xff" }, "name", "FIELD_INVALID"},
		"a wrong number":     {func(f *registry.Form) { f.IIN = "123" }, "iin", "NUMBER_INVALID"},
	} {
		f := registry.Form{BIN: companyX, IIN: headB, Surname: "ТЕСТОВ", Name: "ТЕСТ", Position: "Директор", AppointedOn: "2026-03-01", Document: "1"}
		c.change(&f)
		_, err := w.book.Draft(t.Context(), registry.Clerk{IIN: clerk, Serial: "01"}, f)
		wrong, ok := errors.AsType[*registry.FieldError](err)
		if !ok || wrong.Field != c.field || !strings.Contains(err.Error(), c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
