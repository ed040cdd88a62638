package watch_test

import "fmt"

func child() int { fmt.Println("x"); return 0 }
