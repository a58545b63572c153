// Package scoreeval judges package score: against tables of values that were computed elsewhere with many
// digits, and by how well it foretells what customers of public data sets went on to do.
package scoreeval
