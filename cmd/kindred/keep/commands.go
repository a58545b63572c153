// Package keep holds the commands that look after a directory, its positions in Kafka and the receivers of its feed.
package keep

import "github.com/spf13/cobra"

// Commands are the commands of this group.
func Commands() []*cobra.Command {
	return []*cobra.Command{newVerify(), newBackup(), newRestore(), newKafka(), newDeadLetters(), newReceivers()}
}
