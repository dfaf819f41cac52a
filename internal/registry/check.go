package registry

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"senim/internal/ident"
	"senim/internal/ident/e164"
)

// Row codes of quarantine (registries.md §6).
const (
	RowBadNumber = "ROW_BAD_NUMBER"
	RowWrongKind = "ROW_WRONG_KIND" // an IIN where a BIN is due, or the reverse
	RowBadDate   = "ROW_BAD_DATE"
	RowDuplicate = "ROW_DUPLICATE"
	RowBadText   = "ROW_BAD_TEXT"
	RowBadKind   = "ROW_BAD_KIND" // a value that is not of the field's list
	RowBadPhone  = "ROW_BAD_PHONE"
	RowMissing   = "ROW_MISSING" // a field that must be there is empty
	RowBroken    = "ROW_BROKEN"  // not a row of this file
)

// Quarantined is a row that was not loaded.
type Quarantined struct {
	// File is the file, or of a [Batch] entities, leaders, persons, contacts or taxpayers.
	File string
	// Row counts from 1 in a [Batch]; of a file it is the line.
	Row int
	// Field is what is wrong with it; empty when that is the row as a whole.
	Field string
	Code  string
	// Kept: the row was taken in all the same, and what it says about is answered as bad.
	Kept bool
}

// checker checks one record: which field is wrong, and why.
type checker struct{ rules ident.Rules }

func (k checker) entity(e LegalEntity) (field, code string) {
	return first(
		k.number("bin", string(e.BIN), bins), k.number("head_bin", string(e.HeadBIN), bins|optional), k.number("successor_bin", string(e.SuccessorBIN), bins|optional),
		oneOf("kind", e.Kind, LE, Branch, Rep, JointIPNR), oneOf("reg_status", e.Status, Active, Liquidation, Liquidated, Reorganised),
		due("reg_date", e.Registered), date("rereg_date", e.Reregistered), date("liq_date", e.Liquidated),
		named("name_ru", e.NameRU), plainText("name_kk", e.NameKK), plainText("name_en", e.NameEN), plainText("address_ru", e.AddressRU), plainText("address_kk", e.AddressKK),
		plainText("kato", e.KATO), plainText("oked", e.OKED))
}

func (k checker) leader(l Leader) (field, code string) {
	return first(
		k.number("bin", string(l.BIN), bins), k.number("iin", string(l.IIN), iins),
		due("appointed_on", l.AppointedOn), date("dismissed_on", l.DismissedOn), order("dismissed_on", l.AppointedOn, l.DismissedOn),
		named("surname", l.Surname), plainText("name", l.Name), plainText("patronymic", l.Patronymic), plainText("position", l.Position))
}

func (k checker) person(p Person) (field, code string) {
	return first(k.number("iin", string(p.IIN), iins), date("birth_date", p.Born), named("surname", p.Surname), plainText("name", p.Name),
		plainText("patronymic", p.Patronymic), oneOf("sex", p.Sex, "", "M", "F"), plainText("citizenship", p.Citizenship))
}

func (k checker) contact(m MobileContact) (field, code string) {
	phone, err := e164.Parse(string(m.Phone))
	bad := flaw{}
	if err != nil || phone != m.Phone || !strings.HasPrefix(string(m.Phone), "+7") {
		bad = flaw{"phone", RowBadPhone}
	}
	return first(k.number("iin", string(m.IIN), iins), bad, date("registered_on", m.RegisteredOn))
}

func (k checker) taxpayer(t Taxpayer) (field, code string) {
	return first(
		k.number("tin", t.TIN, bins|iins), k.number("head_tin", t.HeadTIN, bins|iins|optional),
		k.number("director_iin", string(t.DirectorIIN), iins|optional), k.number("budget_iin", string(t.BudgetIIN), iins|optional),
		oneOf("type", t.Type, TaxNotSet, TaxIndividual, TaxEntrepreneur, TaxPrivateEnterprise, TaxStateEnterprise),
		oneOf("practice", t.Practice, "", Lawyer, Bailiff, Mediator, Notary),
		date("vat_from", t.VATFrom), date("vat_to", t.VATTo), order("vat_to", t.VATFrom, t.VATTo), date("ip_from", t.IPFrom), date("ip_to", t.IPTo), order("ip_to", t.IPFrom, t.IPTo),
		plainText("name_ru", t.NameRU), plainText("name_kk", t.NameKK), plainText("address_ru", t.AddressRU), plainText("address_kk", t.AddressKK),
		plainText("kogd", t.KOGD), plainText("vat_series", t.VATSeries), plainText("vat_number", t.VATNumber), plainText("block_reason", t.BlockReason))
}

func (k checker) account(a BankAccount) (field, code string) {
	return first(k.number("tin", a.TIN, bins|iins), iban("iik", a.IIK), bic("bik", a.BIK),
		date("opened_on", a.OpenedOn), date("closed_on", a.ClosedOn), order("closed_on", a.OpenedOn, a.ClosedOn), plainText("account_type", a.Type))
}

func (k checker) bank(b Bank) (field, code string) {
	return first(bic("bik", b.BIK), k.number("tin", b.TIN, bins|optional), named("name_ru", b.NameRU), plainText("name_kk", b.NameKK), plainText("code", b.Code))
}

func (k checker) day(d CalendarDay) (field, code string) {
	return first(due("date", d.Date), oneOf("source", d.Source, append([]string{""}, Sources()...)...), plainText("note", d.Note))
}

// flaw is what one check found; zero when nothing.
type flaw struct{ field, code string }

// first is the first flaw, in the order a row's fields are looked at.
func first(all ...flaw) (field, code string) {
	for _, f := range all {
		if f.code != "" {
			return f.field, f.code
		}
	}
	return "", ""
}

// Kinds of a number.
const (
	iins = 1 << iota
	bins
	optional
)

// number checks the check digit, and by the fifth digit whose number it is. Test numbers are both.
func (k checker) number(field, n string, kind int) flaw {
	if n == "" && kind&optional != 0 {
		return flaw{}
	}
	got, err := k.rules.AdmitIIN(n)
	if err != nil || string(got) != n {
		return flaw{field, RowBadNumber}
	}
	is := iins
	if n[4] >= '4' {
		is = bins
	}
	if kind&is == 0 && !k.rules.Test(n) {
		return flaw{field, RowWrongKind}
	}
	return flaw{}
}

func oneOf[T comparable](field string, v T, all ...T) flaw {
	if !slices.Contains(all, v) {
		return flaw{field, RowBadKind}
	}
	return flaw{}
}

func date(field string, d Date) flaw {
	if _, ok := ParseDate(string(d)); !ok {
		return flaw{field, RowBadDate}
	}
	return flaw{}
}

func due(field string, d Date) flaw {
	if d == "" {
		return flaw{field, RowBadDate}
	}
	return date(field, d)
}

func order(field string, from, to Date) flaw {
	if to != "" && to < from {
		return flaw{field, RowBadDate}
	}
	return flaw{}
}

func named(field, s string) flaw {
	if s == "" {
		return flaw{field, RowBadText}
	}
	return plainText(field, s)
}

func plainText(field, s string) flaw {
	if !plain(strings.ReplaceAll(s, "\n", " ")) { // a name may stand on two lines
		return flaw{field, RowBadText}
	}
	return flaw{}
}

// plain: UTF-8, at most 1000 characters, no control characters.
func plain(s string) bool {
	return utf8.ValidString(s) && (len(s) <= 1000 || utf8.RuneCountInString(s) <= 1000) && !strings.ContainsFunc(s, unicode.IsControl)
}

// iban checks the number of a bank account: KZ, 18 further characters, and the remainder by 97.
func iban(field, s string) flaw {
	if len(s) != 20 || s[:2] != "KZ" {
		return flaw{field, RowBadNumber}
	}
	rest := 0
	for _, c := range []byte(s[4:] + s[:4]) {
		switch {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return flaw{field, RowBadNumber}
		}
	}
	if rest != 1 {
		return flaw{field, RowBadNumber}
	}
	return flaw{}
}

// bic checks the code of a bank: 8 or 11 letters and digits.
func bic(field, s string) flaw {
	if len(s) != 8 && len(s) != 11 || strings.ContainsFunc(s, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) {
		return flaw{field, RowBadNumber}
	}
	return flaw{}
}
