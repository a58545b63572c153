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

// classpathFile is the file, relative to the repository's root, in which `make kafka` lists the jars of a broker.
const classpathFile = ".kafka/classpath"

// classpath returns the jars of a broker, by the file of this directory or of one above it: modules lie in each other. It
// fails with ErrNoKafka if they are missing.
func classpath() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(dir, classpathFile))
	for errors.Is(err, fs.ErrNotExist) {
		if dir == filepath.Dir(dir) {
			return "", ErrNoKafka
		}
		dir = filepath.Dir(dir)
		text, err = os.ReadFile(filepath.Join(dir, classpathFile))
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
