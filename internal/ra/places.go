package ra

import "strings"

// Words is a text in several languages: kk, ru, en.
type Words map[string]string

// In is the text in a language, in Russian when that is missing.
func (w Words) In(tag string) string {
	if w[tag] != "" {
		return w[tag]
	}
	return w["ru"]
}

// Place is a desk that people can go to.
type Place struct {
	ID      string `yaml:"id"`
	City    Words  `yaml:"city"`
	Name    Words  `yaml:"name"`
	Address Words  `yaml:"address"`
	Hours   Words  `yaml:"hours"`
	Phone   string `yaml:"phone"`
	// Bring is what to bring beside what everybody needs; it may be empty.
	Bring Words `yaml:"bring"`
}

// PlacesIn chooses those of a city, named in any language; all of them when there is none or no city.
func PlacesIn(all []Place, city string) []Place {
	city = tidy(city)
	var found []Place
	for _, p := range all {
		for _, name := range p.City {
			if city != "" && strings.EqualFold(tidy(name), city) {
				found = append(found, p)
				break
			}
		}
	}
	if len(found) == 0 {
		return all
	}
	return found
}
