package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kindred-id/kindred/internal/broker"
	"github.com/spf13/cobra"
)

// A password comes from the highest place that has one: command line, environment, file.
func TestPasswordPrecedence(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	inFile, inFlag := write("file", "of the file"), write("flag", "of the flag")
	settings := write("kafka.yaml", "brokers: [b:9092]\ntopics: [{topic: t}]\nsasl: {mechanism: PLAIN, user: u, password_file: "+inFile+"}\n")
	for _, c := range []struct {
		name, variable, fileVariable, flag, want string
	}{
		{"file", "", "", "", "of the file"},
		{"environment over file", "of the environment", "", "", "of the environment"},
		{"file named in the environment over file", "", inFlag, "", "of the flag"},
		{"command line over environment", "of the environment", "", inFlag, "of the flag"},
		{"two in the environment", "of the environment", inFile, "", ""},
		{"two in the environment, command line over both", "of the environment", inFile, inFlag, "of the flag"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(passwordVariable, c.variable)
			t.Setenv(variableOf(passwordFlag), c.fileVariable)
			cmd := &cobra.Command{Use: "serve"}
			f := AddKafka(cmd, true)
			args := []string{"--kafka-config", settings}
			if c.flag != "" {
				args = append(args, "--"+passwordFlag, c.flag)
			}
			if err := cmd.ParseFlags(args); err != nil {
				t.Fatal(err)
			}
			if err := Settle(cmd); err != nil {
				t.Fatal(err)
			}
			config, err := f.Config(cmd)
			if c.want == "" {
				if err == nil {
					t.Fatal("accepted")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := broker.Secret(config.SASL.PasswordFile, config.SASL.Password.Reveal()); got != c.want || err != nil {
				t.Errorf("password %q, %v; want %q", got, err, c.want)
			}
		})
	}
}
