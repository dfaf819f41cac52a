package registry

// RowTwoHeads says that rows name two heads of one organisation at once.
const RowTwoHeads = TwoHeads

// verdicts is what becomes of rows whose key stands more than once in a file.
type verdicts struct {
	// held are refused; same repeat an organisation that another row writes already.
	held, same []int64
	// leaders of refused rows; disputed ones are taken in so that the head is unknown.
	leaders, disputed []int64
	out               []Quarantined
}

// judgeTwice judges rows of keys that stand more than once, both lists by key and line. An organisation may
// stand once for each leader it had: then it is written once. Else all its rows are refused (ROW_DUPLICATE).
// When two of its leaders are not dismissed, nobody is the head (ROW_TWO_HEADS, R-12): the rows are refused,
// but the organisation is known, and its head is known to be unknown.
func judgeTwice(rows, leaders []Staged) (v verdicts) {
	of := map[string][]Staged{}
	for _, l := range leaders {
		of[l.Key] = append(of[l.Key], l)
	}
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].Key == rows[0].Key {
			n++
		}
		v.judge(rows[:n], of[rows[0].Key])
		rows = rows[n:]
	}
	return v
}

func (v *verdicts) judge(rows, leaders []Staged) {
	refuse := func(code string) {
		for _, r := range rows {
			if r.Op != OpHold { // that one was refused already
				v.out = append(v.out, Quarantined{Row: int(r.Line), Code: code})
			}
		}
	}
	if equal(rows) && len(leaders) == len(rows) {
		now, days := map[string]bool{}, map[Date]bool{}
		for _, l := range leaders {
			if l.DismissedOn == "" {
				now[l.IIN] = true
			}
			days[l.AppointedOn] = true
		}
		switch {
		case len(now) > 1:
			refuse(RowTwoHeads)
			v.same = append(v.same, lines(rows[1:])...)
			v.disputed = append(v.disputed, lines(leaders)...)
			return
		case len(days) == len(leaders):
			v.same = append(v.same, lines(rows[1:])...)
			return
		}
	}
	refuse(RowDuplicate)
	v.held = append(v.held, lines(rows)...)
	v.leaders = append(v.leaders, lines(leaders)...)
}

// equal: all rows write the same record.
func equal(rows []Staged) bool {
	for _, r := range rows {
		if r.Op != OpWrite || r.Content != rows[0].Content {
			return false
		}
	}
	return true
}

func lines(rows []Staged) []int64 {
	all := make([]int64, len(rows))
	for i, r := range rows {
		all[i] = r.Line
	}
	return all
}
