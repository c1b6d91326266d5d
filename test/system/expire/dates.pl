# The dates of expiry that dirvish's Perl modules give to images of many moments. JSON on stdin, a date a line on stdout;
# the zone is TZ's. As in dirvish the last rule that matches decides.
use strict;
use warnings;
use JSON::PP;
use POSIX qw(strftime tzset);
use Time::Period;
use Time::ParseDate;

tzset();
my $asked = decode_json(do { local $/; <STDIN> });
my @rules = map {
    my $rule = $_;
    my ($period, $date);
    if ($rule =~ /^(.*\})\s*([^}]*)$/) { ($period, $date) = ($1, $2) }
    else {
        my @field = split ' ', $rule, 6;
        $date = $field[5] // '';
        $period = '';
        for my $scale (qw(min hr md mo wd)) {
            my $value = shift @field;
            next if $value eq '*';
            $value =~ tr/,/ /;
            $period .= "$scale { $value } ";
        }
    }
    [$period, $date];
} @{ $asked->{rules} };
for my $time (@{ $asked->{times} }) {
    my $date = $asked->{standard};
    for my $rule (@rules) { $date = $rule->[1] if inPeriod($time, $rule->[0]) == 1 }
    if ($date eq '' or $date =~ /never/i) { print "Never\n"; next }
    print "$date == ", strftime('%Y-%m-%d %H:%M:%S', localtime parsedate($date, NOW => $time)), "\n";
}
