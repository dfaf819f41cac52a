package registry

import (
	"encoding/json"
	"fmt"

	"senim/internal/batchfile"
	"senim/internal/ident"
)

// Area is a kind of record as it is kept.
type Area string

// The areas. A file of legal entities fills two.
const (
	AreaEntity   Area = "entity"
	AreaLeader   Area = "leader"
	AreaPerson   Area = "person"
	AreaContact  Area = "contact"
	AreaTaxpayer Area = "taxpayer"
	AreaAccount  Area = "account"
	AreaBank     Area = "bank"
	AreaCalendar Area = "calendar"
)

// areaOf is the area of a file.
func areaOf(kind string) Area {
	return map[string]Area{batchfile.Entities: AreaEntity, batchfile.Persons: AreaPerson, batchfile.Taxpayers: AreaTaxpayer, batchfile.Accounts: AreaAccount,
		batchfile.Banks: AreaBank, batchfile.Mobile: AreaContact, batchfile.Calendar: AreaCalendar}[kind]
}

// Sources lists the sources whose batches of files are taken in, the state's registers, in the order of pages.
func Sources() []string { return []string{SourceLegal, SourcePersons, SourceTax, SourceMobile} }

// brings says which files come from a source: one kind of record has one source, or what a full load lacks
// would not be known to have ended.
func brings(source, kind string) bool {
	switch kind {
	case batchfile.Entities, batchfile.Calendar:
		return source == SourceLegal
	case batchfile.Persons:
		return source == SourcePersons
	case batchfile.Mobile:
		return source == SourceMobile
	}
	return source == SourceTax
}

// What is to be done about a staged row.
const (
	OpWrite = "U"
	OpEnd   = "D"
	// OpHold is of a refused row: its record stays as it is.
	OpHold = "K"
)

// Staged is a checked row on its way.
type Staged struct {
	Line int64
	Op   string
	Key  string
	// Content is the record as JSON; empty when it ends.
	Content string
	// Head is the head office of an entity.
	Head string
	// The rest is of a leader; Key is the BIN.
	IIN         string
	AppointedOn Date
	DismissedOn Date
	Disputed    bool
}

// reader turns rows of one kind of file into staged rows.
type reader struct {
	checker
	kind string
}

// read gives what a row brings: of legal entities the organisation, and its leader when it has one. A row that
// is refused is held by its key, as far as that can be read.
func (r reader) read(row *batchfile.Row) (staged []Staged, bad []Quarantined, err error) {
	refuse := func(field, code string) ([]Staged, []Quarantined, error) {
		bad := []Quarantined{{File: r.kind, Row: row.Line, Field: field, Code: code}}
		if key := r.key(row); key != "" {
			return []Staged{{Line: int64(row.Line), Op: OpHold, Key: key}}, bad, nil
		}
		return nil, bad, nil
	}
	if row.Broken {
		return refuse("", RowBroken)
	}
	if missing := row.Missing(r.kind); missing != "" {
		return refuse(missing, RowMissing)
	}
	if row.End {
		return []Staged{{Line: int64(row.Line), Op: OpEnd, Key: r.key(row)}}, nil, nil
	}
	v := values{row: row}
	if r.kind == batchfile.Entities {
		return r.entityRow(&v, refuse)
	}
	record, field, code := r.record(&v)
	if v.field != "" {
		field, code = v.field, RowBadKind
	}
	if code != "" {
		return refuse(field, code)
	}
	content, err := json.Marshal(record)
	if err != nil {
		return nil, nil, fmt.Errorf("write a record: %w", err)
	}
	return []Staged{{Line: int64(row.Line), Op: OpWrite, Key: r.key(row), Content: string(content)}}, nil, nil
}

// key is the key of a row, when each part of it is short enough to be one.
func (r reader) key(row *batchfile.Row) string {
	short := func(column string) string {
		if s := row.Get(column); len(s) <= 40 && plain(s) {
			return s
		}
		return ""
	}
	switch r.kind {
	case batchfile.Entities:
		return short("bin")
	case batchfile.Persons, batchfile.Mobile:
		return short("iin")
	case batchfile.Taxpayers:
		return short("tin")
	case batchfile.Accounts:
		return AccountKey(short("tin"), short("iik"))
	case batchfile.Banks:
		return short("bik")
	}
	return short("date") + "/" + short("source")
}

// AccountKey names an account of an owner.
func AccountKey(tin, iik string) string { return tin + "/" + iik }

func (r reader) record(v *values) (record any, field, code string) {
	switch r.kind {
	case batchfile.Persons:
		p := Person{IIN: ident.IIN(v.get("iin")), Surname: v.get("surname"), Name: v.get("name"), Patronymic: v.get("patronymic"), Born: Date(v.get("birth_date")),
			Sex: v.get("sex"), Citizenship: v.get("citizenship"), Dead: v.either("life", "DEAD", "ALIVE"), Incapable: v.either("capable", "0", "1"),
			Excluded: v.either("excluded", "1", "0"), Nonresident: v.either("nonresident", "1", "0")}
		field, code = r.person(p)
		return p, field, code
	case batchfile.Mobile:
		m := MobileContact{IIN: ident.IIN(v.get("iin")), Phone: ident.Phone(v.get("phone")), RegisteredOn: Date(v.get("registered_on"))}
		field, code = r.contact(m)
		return m, field, code
	case batchfile.Taxpayers:
		t := Taxpayer{TIN: v.get("tin"), Type: TaxpayerType(v.get("type")), NameRU: v.get("name_ru"), NameKK: v.get("name_kk"), AddressRU: v.get("address_ru"),
			AddressKK: v.get("address_kk"), Nonresident: v.either("resident", "0", "1"), HeadTIN: v.get("head_tin"), KOGD: v.get("kogd"),
			VATFrom: Date(v.get("vat_from")), VATTo: Date(v.get("vat_to")), VATSeries: v.get("vat_series"), VATNumber: v.get("vat_number"),
			IPFrom: Date(v.get("ip_from")), IPTo: Date(v.get("ip_to")), Practice: Practice(v.get("practice")), Blocked: v.either("blocked", "1", "0"),
			BlockReason: v.get("block_reason"), DirectorIIN: ident.IIN(v.get("director_iin")), BudgetIIN: ident.IIN(v.get("budget_iin"))}
		field, code = r.taxpayer(t)
		return t, field, code
	case batchfile.Accounts:
		a := BankAccount{TIN: v.get("tin"), IIK: v.get("iik"), BIK: v.get("bik"), Type: v.get("account_type"), OpenedOn: Date(v.get("opened_on")), ClosedOn: Date(v.get("closed_on"))}
		field, code = r.account(a)
		return a, field, code
	case batchfile.Banks:
		b := Bank{BIK: v.get("bik"), NameRU: v.get("name_ru"), NameKK: v.get("name_kk"), Code: v.get("code"), TIN: v.get("tin"), Closed: v.either("active", "0", "1")}
		field, code = r.bank(b)
		return b, field, code
	}
	d := CalendarDay{Date: Date(v.get("date")), Source: v.get("source"), Load: v.either("load", "1", "0"), Note: v.get("note")}
	field, code = r.day(d)
	return d, field, code
}

// entityRow reads an organisation with its leader.
func (r reader) entityRow(v *values, refuse func(field, code string) ([]Staged, []Quarantined, error)) ([]Staged, []Quarantined, error) {
	e := LegalEntity{BIN: ident.BIN(v.get("bin")), Kind: Kind(v.get("kind")), NameRU: v.get("name_ru"), NameKK: v.get("name_kk"), NameEN: v.get("name_en"),
		Status: Status(v.get("reg_status")), Registered: Date(v.get("reg_date")), Reregistered: Date(v.get("rereg_date")), Liquidated: Date(v.get("liq_date")),
		HeadBIN: ident.BIN(v.get("head_bin")), SuccessorBIN: ident.BIN(v.get("successor_bin")), AddressRU: v.get("address_ru"), AddressKK: v.get("address_kk"),
		KATO: v.get("kato"), OKED: v.get("oked"), TaxInactive: v.either("tax_inactive", "1", "0"), Nonresident: v.either("nonresident", "1", "0")}
	if v.field != "" {
		return refuse(v.field, RowBadKind)
	}
	if field, code := r.entity(e); code != "" {
		return refuse(field, code)
	}
	line := int64(v.row.Line)
	content, err := json.Marshal(e)
	if err != nil {
		return nil, nil, fmt.Errorf("write a record: %w", err)
	}
	staged := []Staged{{Line: line, Op: OpWrite, Key: string(e.BIN), Head: string(e.HeadBIN), Content: string(content)}}
	var flagged []Quarantined
	if e.Unit() && e.HeadBIN == "" {
		flagged = []Quarantined{{File: r.kind, Row: v.row.Line, Field: "head_bin", Code: NoHeadOffice, Kept: true}}
	}
	l := Leader{BIN: e.BIN, IIN: ident.IIN(v.get("leader_iin")), Surname: v.get("leader_surname"), Name: v.get("leader_name"), Patronymic: v.get("leader_patronymic"),
		Position: v.get("leader_position"), AppointedOn: Date(v.get("appointed_on")), DismissedOn: Date(v.get("dismissed_on"))}
	if l == (Leader{BIN: e.BIN}) {
		return staged, flagged, nil
	}
	if field, code := r.leader(l); code != "" {
		if renamed, ok := map[string]string{"iin": "leader_iin", "surname": "leader_surname", "name": "leader_name", "patronymic": "leader_patronymic", "position": "leader_position"}[field]; ok {
			field = renamed
		}
		return refuse(field, code)
	}
	if content, err = json.Marshal(l); err != nil {
		return nil, nil, fmt.Errorf("write a record: %w", err)
	}
	return append(staged, Staged{Line: line, Op: OpWrite, Key: string(e.BIN), IIN: string(l.IIN), AppointedOn: l.AppointedOn, DismissedOn: l.DismissedOn, Content: string(content)}), flagged, nil
}

// values reads a row, and notes the first value that is not one of two.
type values struct {
	row   *batchfile.Row
	field string
}

func (v *values) get(column string) string { return v.row.Get(column) }

// either reports whether the value is yes; else it is no, or absent.
func (v *values) either(column, yes, no string) bool {
	switch s := v.get(column); {
	case s == yes:
		return true
	case s != no && s != "" && v.field == "":
		v.field = column
	}
	return false
}
