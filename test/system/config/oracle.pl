# Answers questions about periods and dates with the Perl modules that dirvish uses. One question a line on stdin,
# fields separated by tabs; one answer a line on stdout. The zone is TZ's.
#   in NOW PERIOD     1, 0 or -1
#   at NOW DATE       seconds since the epoch, or "none"
#   tm NOW FORMAT     strftime
use strict;
use warnings;
use POSIX qw(strftime tzset);
use Time::Period;
use Time::ParseDate;

tzset();
while (my $line = <STDIN>) {
    chomp $line;
    my ($question, $now, $text) = split /\t/, $line, 3;
    my $answer;
    if    ($question eq 'in') { $answer = inPeriod($now, $text) }
    elsif ($question eq 'at') { $answer = parsedate($text, NOW => $now) }
    else                      { $answer = strftime($text, localtime $now) }
    print defined $answer ? $answer : 'none', "\n";
}
