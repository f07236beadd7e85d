using System.Text;
using Bascule.Core.Model;

namespace Bascule.Core.Tests.Config.Editing;

/// <summary>Random files in random layouts, and random changes of them: what was asked for happens, and nothing else does.</summary>
public sealed class RandomEditTests
{
    private const int Files = 150;
    private const int ChangesOfEach = 6;

    [Theory]
    [InlineData(1)]
    [InlineData(20261121)]
    public void What_was_asked_for_happens_and_every_other_line_stays(int seed)
    {
        Random random = new(seed);
        for (int file = 0; file < Files; file++)
        {
            string text = new FileWriter(random).Write();
            for (int change = 0; change < ChangesOfEach; change++)
                text = ChangeOne(text, random);
        }
    }

    private static string ChangeOne(string text, Random random)
    {
        Configuration before = ConfigurationEditorTests.Check(text);
        VirtualServer virtualServer = before.VirtualServers[random.Next(before.VirtualServers.Count)];
        RealServer realServer = virtualServer.RealServers[random.Next(virtualServer.RealServers.Count)];
        string target = $"{virtualServer.Name}/{realServer.Address}";
        int number = random.Next(2, 60_000);
        string fresh = $"10.9.{random.Next(256)}.{random.Next(256)}:81";
        (string command, VirtualServer? wanted) = random.Next(5) switch
        {
            0 => ($"edit {target} weight={number}", virtualServer with { RealServers = With(virtualServer, realServer, realServer with { Weight = number }) }),
            1 => ($"edit {virtualServer.Name} timeouts.connect={number}ms", virtualServer with { Timeouts = virtualServer.Timeouts with { Connect = TimeSpan.FromMilliseconds(number) } }),
            2 => ($"edit {target} weight=", virtualServer with { RealServers = With(virtualServer, realServer, realServer with { Weight = 1 }) }),
            3 when virtualServer.RealServers.All(r => r.Address.ToString() != fresh) =>
                ($"add {virtualServer.Name}/{fresh} weight={number}", virtualServer with { RealServers = [.. virtualServer.RealServers, new(System.Net.IPEndPoint.Parse(fresh), number)] }),
            _ when virtualServer.RealServers.Count > 1 => ($"delete {target}", virtualServer with { RealServers = [.. virtualServer.RealServers.Where(r => r != realServer)] }),
            _ => ($"edit {virtualServer.Name} scheduler=rr", virtualServer with { Scheduler = SchedulerKind.RoundRobin }),
        };

        string after = ConfigurationEditorTests.Edited(text, command);

        Configuration expected = before with { VirtualServers = [.. before.VirtualServers.Select(v => v == virtualServer ? wanted! : v)] };
        Assert.True(expected == ConfigurationEditorTests.Check(after), $"{command}\n{text}\nbecame\n{after}");
        StaysTheSame(text, after, command);
        return after;
    }

    private static void StaysTheSame(string before, string after, string command)
    {
        string[] changed = [.. Bascule.Core.Config.Sharing.LineDifference.Between(before, after).Where(line => line[0] == '-')];
        bool isDeleting = command.StartsWith("delete", StringComparison.Ordinal) || command.EndsWith('=');
        if (!isDeleting)
            Assert.True(ConfigurationEditorTests.Comments(before).SequenceEqual(ConfigurationEditorTests.Comments(after)), $"{command}\n{before}\nbecame\n{after}");
        // At most the lines of one real server, each a setting of it.
        Assert.True(changed.Count(line => line[1..].Trim() is [not '#', ..]) <= (isDeleting ? 3 : 1), $"{command}\n{before}\nbecame\n{after}");
        Assert.Equal(before.Contains('\r', StringComparison.Ordinal), after.Contains('\r', StringComparison.Ordinal));
    }

    private static ValueList<RealServer> With(VirtualServer virtualServer, RealServer old, RealServer next) => [.. virtualServer.RealServers.Select(r => r == old ? next : r)];

    /// <summary>Writes a configuration as people do: blocks and braces, comments everywhere, empty lines here and there.</summary>
    private sealed class FileWriter(Random random)
    {
        private readonly StringBuilder _text = new();
        private int _comment;

        public string Write()
        {
            int step = random.Next(1, 5);
            Line(0, "workers: 2");
            Line(0, "virtualServers:");
            int servers = random.Next(1, 4);
            for (int i = 0; i < servers; i++)
                VirtualServer(i, step);
            if (Chance())
                Line(0, "shutdownTimeout: 5s");
            string text = Chance(5) ? _text.ToString().TrimEnd('\n') : _text.ToString();
            return Chance(5) ? text.Replace("\n", "\r\n", StringComparison.Ordinal) : text;
        }

        private void VirtualServer(int number, int step)
        {
            string address = $"address: 192.0.2.{number + 1}:80";
            if (Chance(4))
            {
                Line(step, $"vs{number}: {{ {address}, realServers: [{string.Join(", ", Enumerable.Range(1, random.Next(1, 4)).Select(Inline))}] }}");
                return;
            }

            Line(step, $"vs{number}:");
            Line(2 * step, address);
            if (Chance())
                Line(2 * step, "timeouts:", () => Line(3 * step, "idle: 9s"));
            RealServers(step);
            if (Chance())
                Line(2 * step, "scheduler: sed");
        }

        private void RealServers(int step)
        {
            int[] numbers = [.. Enumerable.Range(1, random.Next(1, 5))];
            if (Chance(3))
            {
                Line(2 * step, $"realServers: [{string.Join(", ", numbers.Select(Inline))}]");
            }
            else if (Chance(3))
            {
                Line(2 * step, "realServers: [");
                foreach (int n in numbers)
                    Line(3 * step, Inline(n) + (n < numbers.Length || Chance() ? "," : ""));
                Line(2 * step + 1, "]");
            }
            else
            {
                Line(2 * step, "realServers:");
                int indent = 2 * step + random.Next(0, step + 1);
                foreach (int n in numbers)
                    Item(indent, n);
            }
        }

        private void Item(int indent, int number)
        {
            if (Chance())
            {
                Line(indent, $"- {Inline(number)}");
                return;
            }

            Line(indent, $"- address: 10.0.0.{number}:80");
            Line(indent + 2, $"weight: {random.Next(1, 9)}");
            if (Chance())
                Line(indent + 2, "maxConnections: 9");
        }

        private string Inline(int number) => random.Next(3) switch
        {
            0 => $"10.0.0.{number}:80",
            1 => $"{{ address: \"10.0.0.{number}:80\", weight: {random.Next(1, 9)} }}",
            _ => $"{{address: 10.0.0.{number}:80}}",
        };

        private void Line(int indent, string text, Action? inside = null)
        {
            if (Chance(6))
                _text.Append('\n');
            if (Chance(5))
                _text.Append(' ', indent).Append("# above ").Append(++_comment).Append('\n');
            _text.Append(' ', indent).Append(text).Append(Chance(4) ? $"  # beside {++_comment}" : "").Append('\n');
            inside?.Invoke();
        }

        private bool Chance(int of = 2) => random.Next(of) == 0;
    }
}
