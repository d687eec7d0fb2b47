//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Call is one HTTP request to a server under test.
type Call struct {
	Method string
	URL    string // absolute, or a path on the server
	As     Account
	Header map[string]string
	Body   io.Reader
	Size   int64 // length of Body in bytes; 0 lets net/http find out, or send chunks
}

// Response is an answer whose body has been read.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// String is the answer in one line, for messages.
func (r Response) String() string {
	body := r.Body
	if len(body) > 300 {
		body = body[:300]
	}
	return fmt.Sprintf("%d %q", r.Status, body)
}

// newHTTPClient returns a client with connections of its own, without a proxy,
// that hands out redirects instead of following them.
func newHTTPClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 128},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Open sends the call and returns the answer with its body unread.
func (s *Server) Open(ctx context.Context, c Call) (*http.Response, error) {
	target := c.URL
	if !strings.Contains(target, "://") {
		target = s.URL + target
	}
	request, err := http.NewRequestWithContext(ctx, c.Method, target, c.Body)
	if err != nil {
		return nil, err
	}
	if c.Size > 0 {
		request.ContentLength = c.Size
	}
	if c.As.Token != "" {
		request.SetBasicAuth(c.As.Name, c.As.Token)
	}
	for key, value := range c.Header {
		request.Header.Set(key, value)
	}
	return s.client.Do(request)
}

// Do sends the call and reads the answer, which must fit in memory.
func (s *Server) Do(ctx context.Context, c Call) (Response, error) {
	response, err := s.Open(ctx, c)
	if err != nil {
		return Response{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return Response{}, fmt.Errorf("%s %s: read the answer: %w", c.Method, c.URL, err)
	}
	return Response{response.StatusCode, response.Header, body}, nil
}

// Want is Do that fails on any status but the one wanted.
func (s *Server) Want(ctx context.Context, status int, c Call) (Response, error) {
	response, err := s.Do(ctx, c)
	if err == nil && response.Status != status {
		err = &StatusError{Call: c, Want: status, Response: response}
	}
	return response, err
}

// StatusError says that the server answered, but not as it should have.
type StatusError struct {
	Call     Call
	Want     int
	Response Response
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s %s: got %s, want status %d", e.Call.Method, e.Call.URL, e.Response, e.Want)
}

// location resolves the Location header of an answer to a call on target.
func (s *Server) location(target string, r Response) (string, error) {
	location := r.Header.Get("Location")
	if location == "" {
		return "", fmt.Errorf("%s: no Location in the answer %s", target, r)
	}
	base, err := url.Parse(s.URL + target)
	if err != nil {
		return "", err
	}
	there, err := base.Parse(location)
	if err != nil {
		return "", err
	}
	return there.String(), nil
}

// reader is bytes.NewReader under a shorter name for literals.
func reader(b []byte) io.Reader { return bytes.NewReader(b) }
