// Package notify takes messages out of the house: by e-mail through the practice's SMTP server, and to other systems by
// signed webhooks. What it sends says what kind of thing waits and where to look; it holds nothing of a patient.
package notify
