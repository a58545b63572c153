package kafkatest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrNoKafka is returned if `make kafka` has not run.
var ErrNoKafka = errors.New("no Kafka is there: fetch it with `make kafka`")

// classpathFile is the file, relative to the module's root, in which `make kafka` lists the jars of a broker.
const classpathFile = ".kafka/classpath"

// classpath returns the jars of a broker. It fails with ErrNoKafka if they are missing.
func classpath() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			return "", ErrNoKafka
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, classpathFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", ErrNoKafka
	}
	if err != nil {
		return "", err
	}
	jars := strings.TrimSpace(string(text))
	for jar := range strings.SplitSeq(jars, string(os.PathListSeparator)) {
		if _, err := os.Stat(jar); err != nil {
			return "", fmt.Errorf("%w (%w)", ErrNoKafka, err)
		}
	}
	return jars, nil
}
