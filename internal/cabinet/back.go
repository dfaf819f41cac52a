package cabinet

import (
	"errors"

	"senim/internal/ra"
	"senim/internal/trust"
	"senim/internal/web"
)

// back gives a refusal of the office a way back to the page where the person can try again.
func back(err error, here string) error {
	var no *ra.Refusal
	if !errors.As(err, &no) {
		return err
	}
	f := web.Refusal{Code: no.Code, Evidence: no.Evidence, Retry: here, Unknown: no.Code == trust.CodeUnavailable}
	if no.Code == "NOT_YOUR_APPLICATION" {
		return err
	}
	return f
}
