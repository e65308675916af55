package hook

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxAnswerBytes is how much of an answer is read, so that the connection can be used again.
const maxAnswerBytes = 64 << 10

// secretPrefix is what secrets begin with that are written in base64.
const secretPrefix = "whsec_"

// ParseSecret reads a secret: in base64 behind "whsec_", as it is otherwise.
func ParseSecret(text string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(text, secretPrefix)
	if !ok {
		return []byte(text), nil
	}
	secret, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(secret) == 0 {
		return nil, fmt.Errorf("what follows %s is not base64", secretPrefix)
	}
	return secret, nil
}

// post sends a message once. An answer other than 2xx is an error.
func (h *Hook) post(id string, body []byte) error {
	r, err := http.NewRequestWithContext(h.life, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	now := strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "sluice")
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", now)
	if len(h.Secret) > 0 {
		r.Header.Set("webhook-signature", sign(h.Secret, id, now, body))
	}
	answer, err := h.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswerBytes))
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return fmt.Errorf("answered by %s", answer.Status)
	}
	return nil
}

func sign(secret []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%s.", id, timestamp)
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
