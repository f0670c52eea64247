// The main loop.
int main(void)
{
	for (;;) {
	}
}
