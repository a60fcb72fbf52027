"""What a data set says of itself: counts, the certificate, the manifest for programs and the card for people."""
