package lint

// OutsideNotApplied is the rules of zlint that are not asked, each with its reason.
func OutsideNotApplied() []NotApplied {
	return []NotApplied{}
}
