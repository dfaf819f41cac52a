package store_test

import (
	"fmt"
	"testing"

	"senim/internal/store"
)

// What was signed before its type was kept is told from the signer's profiles where there is one answer, and else left open:
// it is signed again.
func TestTypesOfEarlierSignatures(t *testing.T) {
	engines(t, func(t *testing.T, url string) {
		s := open(t, store.Config{URL: url})
		profile := func(iin, kind, category string) string {
			return fmt.Sprintf(`insert into participant_profiles (id, iin, tin, type, name, category, status, previous, reason, since, evidence, reconfirm_by)
				values ('p-%[1]s-%[2]s', '%[1]s', '%[1]s', '%[2]s', '', '%[3]s', 'ACTIVE', '', '', 1, '', 0)`, iin, kind, category)
		}
		signature := func(id, iin string) string {
			return fmt.Sprintf(`insert into participant_signatures (id, registration, version, lang, document, certificate, evidence, moment, timestamp_token)
				values ('%s', '', '1.0', 'ru', 'x', 'x', '', 1, 'x')`, id)
		}
		holder := func(id, iin string) string {
			return fmt.Sprintf(`insert into participant_signature_holders (signature, iin, tin) values ('%s', '%s', '%s')`, id, iin, iin)
		}
		do(t, s, func(tx *store.Tx) error {
			for _, q := range []string{profile("one", "ENTREPRENEUR", "IP"), profile("two", "ENTREPRENEUR", "IP"), profile("two", "NOTARY", "LZCHP"),
				profile("three", "INDIVIDUAL", "FL"), profile("three", "ENTREPRENEUR_USER", "IP"),
				signature("s1", "one"), holder("s1", "one"), signature("s2", "two"), holder("s2", "two"), signature("s3", "three"), holder("s3", "three")} {
				if _, err := tx.Exec(t.Context(), q); err != nil {
					return fmt.Errorf("%s: %w", q, err)
				}
			}
			return nil
		})
		if err := s.MigrateAgain(t.Context()); err != nil {
			t.Fatal(err)
		}
		do(t, s, func(tx *store.Tx) error {
			for q, want := range map[string]int64{
				`select count(*) from participant_signature_types`:                                                  2,
				`select count(*) from participant_signature_types where signature = 's1' and type = 'ENTREPRENEUR'`: 1,
				`select count(*) from participant_signature_types where signature = 's3' and type = 'INDIVIDUAL'`:   1,
			} {
				if n, err := tx.Int(t.Context(), q); err != nil || n != want {
					t.Errorf("%s: %d, %v, want %d", q, n, err, want)
				}
			}
			return nil
		})
	})
}
