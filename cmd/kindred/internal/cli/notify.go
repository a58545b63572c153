package cli

import (
	"fmt"
	"net"
	"os"
)

// notifyVariable names the socket at which the manager of the service, such as systemd, waits for news (sd_notify).
const notifyVariable = "NOTIFY_SOCKET"

// States that a manager is told.
const (
	NotifyReady    = "READY=1"
	NotifyStopping = "STOPPING=1"
)

// Notify tells the manager of the service a state; without a manager it does nothing. A name that begins with @ is one of
// Linux's abstract sockets.
func Notify(state string) error {
	name := os.Getenv(notifyVariable)
	if name == "" {
		return nil
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("notify the manager of the service: %w", err)
	}
	defer c.Close()
	if _, err := c.Write([]byte(state)); err != nil {
		return fmt.Errorf("notify the manager of the service: %w", err)
	}
	return nil
}
