using System.Diagnostics;

namespace Bascule.Lab;

/// <summary>What runs in a lab that stands: a web server on each real server, and the director before them.</summary>
internal static class LabServices
{
    /// <summary>Starts everything, and waits until the director serves and has checked every real server once.</summary>
    /// <exception cref="LabException">Something did not start.</exception>
    public static async Task<LabDirector> StartAsync(LabNetwork network, TimeProvider time)
    {
        foreach (string name in LabPlan.RealServers)
            StartWeb(network, name).Dispose();
        LabDirector director = new(network);
        await File.WriteAllTextAsync(director.File, Configuration(director));
        (await director.StartAsync(time)).Dispose();
        return director;
    }

    /// <summary>Starts the web server of a real server.</summary>
    public static Process StartWeb(LabNetwork network, string name) =>
        network.Plan[name].Start(Path.Combine(network.Folder, $"{name}.log"), LabDirector.Program, LabServer.Verb, name);

    /// <summary>What a visitor may want to do.</summary>
    public static string WhatToTry(LabNetwork network, LabDirector director) => $"""
        The lab stands: a client, a router, a director, and the real servers {string.Join(", ", LabPlan.RealServers)}.

        Try this:
          {network.Plan["client"].Line($"curl http://{LabPlan.VirtualAddress}/")}
          {network.Plan["client"].Line($"curl http://[{LabPlan.VirtualAddress6}]/")}
          sudo bascule status -s {director.Socket}
          edit {director.File}, then sudo bascule reload -s {director.Socket}

        `bascule lab down` removes all of it.
        """;

    private static string Configuration(LabDirector director) => $$"""
        # Written by `bascule lab`. Change something, then reload.
        workers: 2
        admin: { socket: {{director.Socket}} }
        virtualServers:
          web:
            address: {{LabPlan.VirtualAddress}}:80
            scheduler: rr
            check: { type: http, path: /healthz, interval: 1s, timeout: 1s, rise: 1, fall: 1 }
            realServers: [{{Servers(name => $"{LabPlan.AddressOf(name, LabSegment.Lan)}:80")}}]
          web6:
            address: "[{{LabPlan.VirtualAddress6}}]:80"
            scheduler: rr
            check: { type: http, path: /healthz, interval: 1s, timeout: 1s, rise: 1, fall: 1 }
            realServers: [{{Servers(name => $"\"[{LabPlan.Address6Of(name, LabSegment.Lan)}]:80\"")}}]

        """;

    private static string Servers(Func<string, string> address) => string.Join(", ", LabPlan.RealServers.Select(address));
}
