package batchfile

import (
	"slices"
	"strings"
)

// The files of a batch, without their ending.
const (
	Entities  = "legal_entities"
	Persons   = "persons"
	Taxpayers = "taxpayers"
	Accounts  = "accounts"
	Banks     = "banks"
	Mobile    = "mobile"
	Calendar  = "calendar"
)

// schema is the columns of a file: the first keys are needed in every row, needed in a row that does not end
// its record.
type schema struct {
	columns []string
	keys    int
	needed  []string
}

func columns(keys int, all string, needed ...string) schema {
	return schema{strings.Split(all, ";"), keys, needed}
}

// op is the column of a delta that says whether a row is written (U) or ended (D).
const op = "op"

var schemas = map[string]schema{
	Entities: columns(1, "bin;kind;name_ru;name_kk;name_en;reg_status;reg_date;rereg_date;liq_date;head_bin;successor_bin;"+
		"leader_iin;leader_surname;leader_name;leader_patronymic;leader_position;appointed_on;dismissed_on;"+
		"address_ru;address_kk;kato;oked;tax_inactive;nonresident", "kind", "name_ru", "reg_status", "reg_date"),
	Persons: columns(1, "iin;surname;name;patronymic;birth_date;sex;citizenship;life;capable;excluded;nonresident", "surname"),
	Taxpayers: columns(1, "tin;type;name_ru;name_kk;address_ru;address_kk;resident;head_tin;kogd;vat_from;vat_to;vat_series;vat_number;"+
		"ip_from;ip_to;practice;blocked;block_reason;director_iin;budget_iin", "type"),
	Accounts: columns(2, "tin;iik;bik;account_type;opened_on;closed_on", "bik"),
	Banks:    columns(1, "bik;name_ru;name_kk;code;tin;active", "name_ru"),
	Mobile:   columns(1, "iin;phone;registered_on", "phone"),
	Calendar: columns(1, "date;source;load;note", "load"),
}

// Kinds lists the files a batch may have, in the order they are read in.
func Kinds() []string {
	return []string{Entities, Persons, Taxpayers, Accounts, Banks, Mobile, Calendar}
}

// nested are the columns that JSON writes inside leader, by their name there.
var nested = map[string]string{"iin": "leader_iin", "surname": "leader_surname", "name": "leader_name", "patronymic": "leader_patronymic",
	"position": "leader_position", "appointed_on": "appointed_on", "dismissed_on": "dismissed_on"}

// known reports whether rows of the file may have the column.
func (s schema) known(column string, delta bool) bool {
	return slices.Contains(s.columns, column) || delta && column == op
}
