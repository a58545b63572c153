package kafkatest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrNoKafka is returned when `make kafka` was not run.
var ErrNoKafka = errors.New("no Kafka is there: fetch it with `make kafka`")

// classpathFile is where `make kafka` writes which jars a broker needs, seen from the module's root.
const classpathFile = ".kafka/classpath"

// classpath are the jars of a broker. It fails with ErrNoKafka when they were not fetched, or are gone.
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
