using System.Diagnostics;
using Bascule.Core.Api;

namespace Bascule.Lab;

/// <summary>What runs in a lab that stands: a web server on each real server, and the director before them.</summary>
internal static class LabServices
{
    /// <summary>Ports of the virtual servers: by direct routing, through a tunnel, by NAT.</summary>
    public const int DirectPort = 80, TunnelPort = 8080, NatPort = 8081;

    private const string Check = "{ type: http, path: /healthz, interval: 1s, timeout: 1s, rise: 1, fall: 1 }";

    /// <summary>Starts everything, and waits until the director serves and has found every real server up.</summary>
    /// <exception cref="LabException">Something did not start.</exception>
    public static async Task<LabDirector> StartAsync(LabNetwork network, TimeProvider time)
    {
        foreach (string name in LabPlan.RealServers)
        {
            StartWeb(network, name).Dispose();
            network.Plan[name].Start(Path.Combine(network.Folder, $"{name}-decap.log"), LabDirector.Program,
                "decap", "eth1", "-v", LabPlan.VirtualAddress, "-v", LabPlan.VirtualAddress6).Dispose();
        }

        LabDirector director = new(network.Plan["director"], network.Folder);
        await File.WriteAllTextAsync(director.File, Configuration(network, director));
        (await director.StartAsync(time)).Dispose();
        await director.SeesAsync(status => status.VirtualServers.All(v => v.RealServers.All(r => r.State == RealServerState.Up)), time);
        return director;
    }

    /// <summary>Starts the web server of a real server.</summary>
    public static Process StartWeb(LabNetwork network, string name) =>
        network.Plan[name].Start(Path.Combine(network.Folder, $"{name}.log"), LabDirector.Program, LabServer.Verb, name);

    /// <summary>What a visitor may want to do.</summary>
    public static string WhatToTry(LabNetwork network, LabDirector director) => $"""
        The lab stands: a client, a router, a director, and the real servers {string.Join(", ", LabPlan.RealServers)}.

        Try this:
          {network.Plan["client"].Line($"curl http://{LabPlan.VirtualAddress}/")}          by direct routing
          {network.Plan["client"].Line($"curl http://{LabPlan.VirtualAddress}:{TunnelPort}/")}     through a tunnel
          {network.Plan["client"].Line($"curl http://{LabPlan.VirtualAddress}:{NatPort}/")}     by NAT
          {network.Plan["client"].Line($"curl http://[{LabPlan.VirtualAddress6}]/")}
          sudo bascule list -s {director.Socket}
          edit {director.File}, then sudo bascule reload -s {director.Socket}

        `bascule lab down` removes all of it.
        """;

    private static string Configuration(LabNetwork network, LabDirector director) => $$"""
        # Written by `bascule lab`. Change something, then reload.
        workers: 1
        admin: { socket: {{director.Socket}} }
        stateFile: {{Path.GetDirectoryName(director.File)}}/state.json
        packets: { interfaces: [eth0, eth1], state: {{network.Pins}} }
        virtualServers:
          web:                        # direct routing: the real servers are the director's neighbours, and answer the client themselves
            address: {{LabPlan.VirtualAddress}}:{{DirectPort}}
            forward: dr
            scheduler: { type: mh, port: true }
            check: {{Check}}
            realServers: [{{Servers(name => LabPlan.AddressOf(name, LabSegment.Lan))}}]
          tunnel:                     # a tunnel: a router lies between
            address: {{LabPlan.VirtualAddress}}:{{TunnelPort}}
            forward: { tun: gue }
            scheduler: { type: mh, port: true }
            check: {{Check}}
            realServers: [{{Servers(name => LabPlan.AddressOf(name, LabSegment.Far))}}]
          nat:                        # NAT: the director is the real servers' router; their port is another
            address: {{LabPlan.VirtualAddress}}:{{NatPort}}
            forward: nat
            scheduler: rr
            check: {{Check}}
            realServers: [{{Servers(name => $"{LabPlan.AddressOf(name, LabSegment.Inside)}:8080")}}]
          web6:
            address: "[{{LabPlan.VirtualAddress6}}]:{{DirectPort}}"
            forward: dr
            scheduler: { type: mh, port: true }
            check: {{Check}}
            realServers: [{{Servers(name => $"\"[{LabPlan.Address6Of(name, LabSegment.Lan)}]\"")}}]

        """;

    private static string Servers(Func<string, string> address) => string.Join(", ", LabPlan.RealServers.Select(address));
}
