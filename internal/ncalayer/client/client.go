// Package client asks a signing agent over its socket, as a program without an Origin does.
//
// [Dial] greets it, [Client.Version] tells an agent of ours from another program of the kind, [Client.Call] asks it. Whoever does not
// greet, or say what it is, within three seconds is no agent; a call waits for the person, and so for as long as its context.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"senim/internal/ncalayer"
)

// patience is how long an answer takes that needs no person.
const patience = 3 * time.Second

// ErrRefused says that who answers there takes no call of this program.
var ErrRefused = errors.New("the agent refuses this program")

// Client is one connection. Its calls run one after another.
type Client struct{ socket *websocket.Conn }

// Dial connects to host and port, and reads the greeting. [ErrRefused] when that is what an agent of ours says to programs of others.
func Dial(ctx context.Context, address string) (*Client, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	socket, answer, err := websocket.Dial(ctx, "ws://"+address+"/", &websocket.DialOptions{HTTPClient: &http.Client{Transport: &http.Transport{}}}) //nolint:bodyclose // the package closes it
	if err != nil {
		if answer != nil && answer.StatusCode == http.StatusForbidden {
			return nil, ErrRefused
		}
		return nil, fmt.Errorf("ask the agent: %w", err)
	}
	_, greeting, err := socket.Read(ctx)
	if err != nil || !strings.HasPrefix(string(greeting), `{"result":{"version":"`) {
		_ = socket.CloseNow()
		return nil, errors.Join(errors.New("ask the agent: no greeting"), err)
	}
	return &Client{socket}, nil
}

// Close ends the connection.
func (c *Client) Close() { _ = c.socket.CloseNow() }

// Version is that of an agent of ours; "" when another program answers.
func (c *Client) Version(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	reply, err := c.Call(ctx, ncalayer.ModuleAccessory, "getBundles", nil)
	if err != nil {
		return "", err
	}
	modules := map[string]any{}
	if json.Unmarshal(reply, &modules) != nil {
		return "", nil
	}
	version, _ := modules[ncalayer.ModuleAgent].(string)
	return version, nil
}

// Call asks, and gives the answer as it came. args may be nil.
func (c *Client) Call(ctx context.Context, module, method string, args any) ([]byte, error) {
	request, err := json.Marshal(struct {
		Module string `json:"module"`
		Method string `json:"method"`
		Args   any    `json:"args,omitempty"`
	}{module, method, args})
	if err != nil {
		return nil, fmt.Errorf("ask the agent: %w", err)
	}
	if err := c.socket.Write(ctx, websocket.MessageText, request); err != nil {
		return nil, fmt.Errorf("ask the agent: %w", err)
	}
	_, reply, err := c.socket.Read(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the agent: %w", err)
	}
	return reply, nil
}
