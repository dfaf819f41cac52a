// Package errorsx passes errors on and names what an error may tell.
package errorsx

// WithStack gives the error as it is: places in the code are in no answer and no log of ours.
func WithStack(err error) error { return err }

// Cause is the innermost of errors that name a cause.
func Cause(err error) error {
	for {
		c, ok := err.(interface{ Cause() error })
		if !ok || c.Cause() == nil {
			return err
		}
		err = c.Cause()
	}
}

// What an error may tell, by methods.
type (
	// StatusCodeCarrier tells a status of HTTP.
	StatusCodeCarrier interface{ StatusCode() int }
	// RequestIDCarrier tells which request.
	RequestIDCarrier interface{ RequestID() string }
	// ReasonCarrier tells why.
	ReasonCarrier interface{ Reason() string }
	// DebugCarrier tells developers.
	DebugCarrier interface{ Debug() string }
	// StatusCarrier tells a status in words.
	StatusCarrier interface{ Status() string }
	// DetailsCarrier tells more.
	DetailsCarrier interface{ Details() map[string]any }
)
