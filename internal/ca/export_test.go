package ca

// At has f told how far orders have come, before the next step begins.
func (s *Service) At(f func(step string)) { s.at = f }
