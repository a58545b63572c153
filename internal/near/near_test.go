package near

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	known := []string{"userId", "anonymousId", "messageId", "timestamp", "type", "name", "log-level"}
	for misspelt, want := range map[string]string{
		"usrId": "userId", "user_id": "userId", "USERID": "userId", "usreId": "userId", "usredI": "", "messageid": "messageId",
		"time": "timestamp", "log_level": "log-level", "customer": "", "": "", "nmae": "name", "nype": "type",
	} {
		if got := strings.Join(Names(misspelt, known), " "); got != want {
			t.Errorf("%q: %q, want %q", misspelt, got, want)
		}
	}
}
