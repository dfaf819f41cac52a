package cades

import "senim/pki"

// level finds how much of the proof stands in the message, verified.
func (s *signature) level() {
	out := s.out
	if !out.Signature.SigningCertificate {
		return
	}
	out.Level = LevelB
	var stamp *Timestamp
	for i := range out.Timestamps {
		if t := &out.Timestamps[i]; !t.Archive && t.Outcome == Valid && (stamp == nil || t.Token.Time.Before(stamp.Token.Time)) {
			stamp = t
		}
	}
	if stamp == nil {
		return
	}
	out.Level = LevelT
	needed, ok := s.enclosed(out.Judgement, []key{stamp.key})
	if ok {
		needed, ok = s.enclosed(stamp.Judgement, needed)
	}
	if !ok {
		return
	}
	out.Level = LevelLT
	for _, t := range out.Timestamps {
		if t.Archive && t.Outcome == Valid && containsAll(t.covered, needed) {
			out.Level = LevelLTA
		}
	}
}

// enclosed reports whether the message holds every certificate of a path below the root and the
// evidence about each, and adds where they stand.
func (s *signature) enclosed(j Judgement, places []key) ([]key, bool) {
	if j.Outcome != Valid {
		return nil, false
	}
	if s.trust.NoRevocation { // then nobody has asked yet
		for i, c := range j.Path[:len(j.Path)-1] {
			j.Status = append(j.Status, s.status(c, j.Path[i+1], j.At, j.At))
		}
	}
	for _, st := range j.Status {
		if !st.Embedded || !s.holds(st.Certificate) {
			return nil, false
		}
		// Of several copies one is enough.
		places = append(places, st.embedded[0])
		if k := certificateKey(st.Certificate.Raw); s.among(k) {
			places = append(places, k)
		}
	}
	return places, true
}

// holds reports whether the certificate stands anywhere in the message.
func (s *signature) holds(c *pki.Certificate) bool {
	return len(appendNew(s.found, c)) == len(s.found)
}

// among reports whether the certificate is one of those of the message itself.
func (s *signature) among(k key) bool {
	for _, p := range s.certificates {
		if p.key == k {
			return true
		}
	}
	return false
}

func containsAll(have, want []key) bool {
	known := map[key]bool{}
	for _, k := range have {
		known[k] = true
	}
	for _, k := range want {
		if !known[k] {
			return false
		}
	}
	return true
}
